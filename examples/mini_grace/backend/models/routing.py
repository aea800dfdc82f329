"""Which model gets a task: healthy, able, and with the fewest errors."""

from __future__ import annotations

from backend.models.base import ModelAdapter, ModelError
from backend.models.registry import ModelRegistry


class ModelRouter:
    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry

    def select(self, capability: str, preferred: str | None = None) -> ModelAdapter:
        """A named preference wins when it is healthy and able; nothing healthy is an error."""
        ranked = self.ranked(capability)
        if not ranked:
            raise ModelError(f"no healthy model offers {capability}")
        for adapter in ranked:
            if adapter.model_name == preferred:
                return adapter
        return ranked[0]

    def ranked(self, capability: str) -> list[ModelAdapter]:
        able = self._registry.with_capability(capability)
        healthy = [adapter for adapter in able if self._registry.health[adapter.model_name].healthy]
        return sorted(healthy, key=self._rank)

    def _rank(self, adapter: ModelAdapter) -> tuple[float, float, str]:
        health = self._registry.health[adapter.model_name]
        latency = health.median_latency_ms
        return (health.error_rate, latency if latency is not None else 0.0, adapter.model_name)
