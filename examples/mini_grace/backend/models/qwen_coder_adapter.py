"""Qwen 2.5 Coder 7B: chat marks, and code without the fence around it."""

from __future__ import annotations

from backend.models.base import Contract, ModelAdapter, ModelReply

SYSTEM = "You write code and nothing else."


class QwenCoderAdapter(ModelAdapter):
    model_name = "qwen2.5-coder:7b"
    capabilities = frozenset({"code_generation", "debugging", "refactoring"})
    contract = Contract(version="1", max_latency_ms=3750, max_tokens=32768)

    def render(self, prompt: str) -> str:
        return (
            f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
            f"<|im_start|>user\n{prompt.strip()}<|im_end|>\n"
            "<|im_start|>assistant\n"
        )

    def generate(self, prompt: str) -> ModelReply:
        reply = super().generate(prompt)
        return ModelReply(reply.model, unfenced(reply.text), reply.latency_ms)


def unfenced(text: str) -> str:
    """The code inside a Markdown fence, or the text itself where there is none."""
    lines = text.splitlines()
    if len(lines) >= 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        return "\n".join(lines[1:-1])
    return text
