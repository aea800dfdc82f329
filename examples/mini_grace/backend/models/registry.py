"""The models that there are, each with its health and the contract it was registered under."""

from __future__ import annotations

from backend.models.base import ModelAdapter, ModelError
from backend.models.health import ModelHealth


class ModelRegistry:
    def __init__(self) -> None:
        self._adapters: dict[str, ModelAdapter] = {}
        self._contracts: dict[str, str] = {}
        self.health: dict[str, ModelHealth] = {}

    def register(self, adapter: ModelAdapter) -> None:
        name = adapter.model_name
        if not name or not adapter.capabilities:
            raise ModelError("an adapter says its model's name and what it can do")
        if name in self._adapters:
            raise ModelError(f"{name} is already registered")
        self._adapters[name] = adapter
        self._contracts[name] = adapter.contract.digest()
        self.health[name] = ModelHealth()

    def get(self, name: str) -> ModelAdapter:
        if name not in self._adapters:
            raise ModelError(f"no model is called {name}")
        return self._adapters[name]

    def with_capability(self, capability: str) -> list[ModelAdapter]:
        return [
            adapter
            for _, adapter in sorted(self._adapters.items())
            if capability in adapter.capabilities
        ]

    def changed_contracts(self) -> list[str]:
        """Models whose contract is no longer the one that they were registered under."""
        return [
            name
            for name, adapter in sorted(self._adapters.items())
            if adapter.contract.digest() != self._contracts[name]
        ]
