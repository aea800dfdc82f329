"""Phi-3 medium: small and quick, with a short window."""

from __future__ import annotations

from backend.models.base import Contract, ModelAdapter


class PhiAdapter(ModelAdapter):
    model_name = "phi3:medium"
    capabilities = frozenset({"text_generation", "classification"})
    contract = Contract(version="1", max_latency_ms=2250, max_tokens=4096)

    def render(self, prompt: str) -> str:
        return f"<|user|>\n{prompt.strip()}<|end|>\n<|assistant|>\n"
