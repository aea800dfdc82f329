"""Runs actions, with a second chance, and remembers how they went."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    name: str
    succeeded: bool
    attempts: int
    result: object = None
    error: str | None = None


class Executor:
    def __init__(self, attempts: int = 2, remember: int = 20) -> None:
        if attempts < 1:
            raise ValueError("an action is tried at least once")
        self._attempts = attempts
        self._recent: deque[bool] = deque(maxlen=remember)

    def run(self, name: str, action: Callable[[], object]) -> Outcome:
        error = None
        for attempt in range(1, self._attempts + 1):
            try:
                result = action()
            except Exception as raised:  # an action may fail in any way
                error = f"{type(raised).__name__}: {raised}"
            else:
                self._recent.append(True)
                return Outcome(name, True, attempt, result=result)
        self._recent.append(False)
        return Outcome(name, False, self._attempts, error=error)

    def failure_rate(self) -> float:
        return self._recent.count(False) / len(self._recent) if self._recent else 0.0
