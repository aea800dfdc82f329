"""One loop of thought: observe, weigh, decide, learn from how it went."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Observation:
    topic: str
    summary: str
    urgency: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.urgency <= 1.0:
            raise ValueError(f"urgency is from 0 to 1, not {self.urgency}")


@dataclass(frozen=True)
class Decision:
    action: str
    topic: str
    confidence: float


IDLE = Decision(action="wait", topic="", confidence=1.0)


class CognitiveLoop:
    """Picks the most pressing observation and an action for it, and keeps score per topic."""

    def __init__(self, act_above: float = 0.4, history: int = 50) -> None:
        self.act_above = act_above
        self._history: deque[tuple[Decision, bool]] = deque(maxlen=history)

    def step(self, observations: Iterable[Observation]) -> Decision:
        ranked = sorted(observations, key=lambda seen: (-self.weight(seen), seen.topic))
        if not ranked:
            return IDLE
        first = ranked[0]
        weight = self.weight(first)
        action = "act" if weight >= self.act_above else "watch"
        return Decision(action=action, topic=first.topic, confidence=round(weight, 3))

    def weight(self, seen: Observation) -> float:
        """Urgency, discounted where acting on this topic has not helped before."""
        return seen.urgency * (0.5 + 0.5 * self.success_rate(seen.topic))

    def learn(self, decision: Decision, worked: bool) -> None:
        self._history.append((decision, worked))

    def success_rate(self, topic: str) -> float:
        """Share of successes on a topic; 1 as long as nothing is known."""
        results = [worked for decision, worked in self._history if decision.topic == topic]
        return sum(results) / len(results) if results else 1.0

    def history(self) -> list[tuple[Decision, bool]]:
        return list(self._history)
