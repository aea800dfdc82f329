"""Answers triggers with playbooks, and knows when to stop trying."""

from __future__ import annotations

from backend.self_heal.playbook_engine import PlaybookEngine, PlaybookRun
from backend.self_heal.trigger_mesh import Event, TriggerMesh


class AutoRemediation:
    def __init__(self, mesh: TriggerMesh, engine: PlaybookEngine, max_attempts: int = 3) -> None:
        self._engine = engine
        self._max_attempts = max_attempts
        self._attempts: dict[str, int] = {}
        self.runs: list[PlaybookRun] = []
        mesh.subscribe("trigger.*", self._on_trigger)
        mesh.subscribe("cleared.*", self._on_cleared)

    def _on_trigger(self, event: Event) -> list[Event]:
        topic = event.topic.removeprefix("trigger.")
        attempts = self._attempts.get(topic, 0)
        if attempts >= self._max_attempts:
            return [Event("escalate", {"topic": topic, "attempts": attempts})]
        for playbook in self._engine.candidates(topic):
            self._attempts[topic] = self._attempts.get(topic, 0) + 1
            run = self._engine.run(playbook.name, dict(event.payload))
            self.runs.append(run)
            if run.succeeded:
                return [Event("healed", {"topic": topic, "playbook": playbook.name})]
        return [Event("escalate", {"topic": topic, "attempts": self._attempts.get(topic, 0)})]

    def _on_cleared(self, event: Event) -> None:
        self._attempts.pop(event.topic.removeprefix("cleared."), None)
