"""Turns measurements into triggers, once for each time a limit is crossed."""

from __future__ import annotations

from dataclasses import dataclass

from backend.self_heal.trigger_mesh import Event, TriggerMesh


@dataclass(frozen=True)
class Trigger:
    name: str
    metric: str
    above: float
    clear_below: float

    def __post_init__(self) -> None:
        if self.clear_below > self.above:
            raise ValueError(f"{self.name} would clear above the limit at which it fires")


class TriggerSystem:
    """A trigger fires when its metric rises above the limit and rearms when it falls again."""

    def __init__(self, mesh: TriggerMesh, triggers: list[Trigger]) -> None:
        self._mesh = mesh
        self._triggers = triggers
        self._active: set[str] = set()

    def measure(self, metric: str, value: float, source: str = "") -> list[str]:
        """Takes one measurement and returns the names of the triggers that it fired."""
        fired = []
        for trigger in self._triggers:
            if trigger.metric != metric:
                continue
            if trigger.name in self._active:
                if value < trigger.clear_below:
                    self._active.discard(trigger.name)
                    self._mesh.publish(Event(f"cleared.{trigger.name}", {"source": source}))
            elif value > trigger.above:
                self._active.add(trigger.name)
                fired.append(trigger.name)
                payload = {"metric": metric, "value": value, "source": source}
                self._mesh.publish(Event(f"trigger.{trigger.name}", payload))
        return fired

    def active(self) -> list[str]:
        return sorted(self._active)
