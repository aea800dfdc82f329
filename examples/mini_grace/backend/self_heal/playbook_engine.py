"""Playbooks: steps that are undone in reverse when one of them fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Context = dict[str, object]


@dataclass(frozen=True)
class Step:
    name: str
    do: Callable[[Context], None]
    undo: Callable[[Context], None] | None = None


@dataclass(frozen=True)
class Playbook:
    name: str
    handles: str
    steps: tuple[Step, ...]


@dataclass
class PlaybookRun:
    playbook: str
    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    failed: str | None = None
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.failed is None


class PlaybookEngine:
    def __init__(self) -> None:
        self._playbooks: dict[str, Playbook] = {}
        self._runs: dict[str, list[bool]] = {}

    def register(self, playbook: Playbook) -> None:
        if not playbook.steps:
            raise ValueError(f"{playbook.name} has no steps")
        self._playbooks[playbook.name] = playbook

    def candidates(self, topic: str) -> list[Playbook]:
        """Playbooks for a topic, the most successful first."""
        fitting = [playbook for playbook in self._playbooks.values() if playbook.handles == topic]
        return sorted(
            fitting, key=lambda playbook: (-self.success_rate(playbook.name), playbook.name)
        )

    def run(self, name: str, context: Context) -> PlaybookRun:
        playbook = self._playbooks[name]
        run = PlaybookRun(name)
        finished: list[Step] = []
        for step in playbook.steps:
            try:
                step.do(context)
            except Exception as error:  # a step may fail in any way
                run.failed = step.name
                run.error = str(error)
                self._undo(finished, context, run)
                break
            finished.append(step)
            run.done.append(step.name)
        self._runs.setdefault(name, []).append(run.succeeded)
        return run

    def success_rate(self, name: str) -> float:
        runs = self._runs.get(name, [])
        return sum(runs) / len(runs) if runs else 0.5

    @staticmethod
    def _undo(finished: list[Step], context: Context, run: PlaybookRun) -> None:
        for step in reversed(finished):
            if step.undo is not None:
                step.undo(context)
                run.undone.append(step.name)
