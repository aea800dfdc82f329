"""How far an actor is trusted: earned slowly, lost fast."""

from __future__ import annotations


class TrustLedger:
    def __init__(self, initial: float = 0.7, gain: float = 0.02, loss: float = 0.15) -> None:
        self._initial = initial
        self._gain = gain
        self._loss = loss
        self._scores: dict[str, float] = {}

    def score(self, actor: str) -> float:
        return self._scores.get(actor, self._initial)

    def succeeded(self, actor: str) -> float:
        return self._set(actor, self.score(actor) + self._gain)

    def failed(self, actor: str) -> float:
        return self._set(actor, self.score(actor) - self._loss)

    def _set(self, actor: str, value: float) -> float:
        self._scores[actor] = round(min(1.0, max(0.0, value)), 4)
        return self._scores[actor]
