"""Opens incidents when healing gives up, and closes them when the trouble clears."""

from __future__ import annotations

from backend.database.records import IncidentRecords
from backend.self_heal.trigger_mesh import Event, TriggerMesh


class IncidentService:
    def __init__(self, records: IncidentRecords, mesh: TriggerMesh) -> None:
        self._records = records
        self._open: dict[str, int] = {}
        mesh.subscribe("escalate", self._on_escalate)
        mesh.subscribe("cleared.*", self._on_cleared)

    def summaries(self) -> list[tuple[str, str]]:
        return [(found.component, found.summary) for found in self._records.open_incidents()]

    def _on_escalate(self, event: Event) -> None:
        topic = str(event.payload["topic"])
        if topic not in self._open:
            summary = f"not healed after {event.payload['attempts']} attempts"
            self._open[topic] = self._records.add(topic, summary)

    def _on_cleared(self, event: Event) -> None:
        incident = self._open.pop(event.topic.removeprefix("cleared."), None)
        if incident is not None:
            self._records.resolve(incident)
