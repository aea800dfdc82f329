"""Asks the next model when one does not answer."""

from __future__ import annotations

from backend.models.base import ModelError, ModelReply
from backend.models.registry import ModelRegistry
from backend.models.routing import ModelRouter


class FailoverClient:
    def __init__(self, registry: ModelRegistry, max_models: int = 3) -> None:
        self._registry = registry
        self._router = ModelRouter(registry)
        self._max_models = max_models

    def ask(self, capability: str, prompt: str, preferred: str | None = None) -> ModelReply:
        first = self._router.select(capability, preferred)
        others = [adapter for adapter in self._router.ranked(capability) if adapter is not first]
        errors = []
        for adapter in [first, *others][: self._max_models]:
            health = self._registry.health[adapter.model_name]
            try:
                reply = adapter.generate(prompt)
            except ModelError as error:
                health.failed()
                errors.append(str(error))
                continue
            health.succeeded(reply.latency_ms)
            return reply
        raise ModelError("; ".join(errors))
