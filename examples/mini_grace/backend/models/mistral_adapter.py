"""Mistral 7B: instructions between `[INST]` marks."""

from __future__ import annotations

from backend.models.base import Contract, ModelAdapter


class MistralAdapter(ModelAdapter):
    model_name = "mistral:7b"
    capabilities = frozenset({"text_generation", "reasoning", "long_form"})
    contract = Contract(version="1", max_latency_ms=4500, max_tokens=8192)

    def render(self, prompt: str) -> str:
        return f"<s>[INST] {prompt.strip()} [/INST]"
