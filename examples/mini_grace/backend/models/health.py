"""How the models are doing, from what they did."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class ModelHealth:
    """A model is unhealthy after this many failures in a row, until it answers again."""

    unhealthy_after: int = 3
    consecutive_failures: int = 0
    total: int = 0
    failures: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=50))

    def succeeded(self, latency_ms: float) -> None:
        self.total += 1
        self.consecutive_failures = 0
        self.latencies.append(latency_ms)

    def failed(self) -> None:
        self.total += 1
        self.failures += 1
        self.consecutive_failures += 1

    @property
    def healthy(self) -> bool:
        return self.consecutive_failures < self.unhealthy_after

    @property
    def error_rate(self) -> float:
        return self.failures / self.total if self.total else 0.0

    @property
    def median_latency_ms(self) -> float | None:
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return ordered[len(ordered) // 2]
