"""What a model adapter is: a prompt format, a contract, and a transport to send it by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from backend.models.transport import Transport, TransportError


class ModelError(RuntimeError):
    """A model did not answer, or not as its contract says."""


@dataclass(frozen=True)
class Contract:
    version: str
    max_latency_ms: int = 5000
    max_tokens: int = 4096
    min_accuracy: float = 0.7

    def digest(self) -> str:
        """Changes whenever the contract does."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class ModelReply:
    model: str
    text: str
    latency_ms: float


class ModelAdapter:
    """Subclasses name the model and its capabilities, and wrap a prompt as the model expects it."""

    model_name: str = ""
    capabilities: frozenset[str] = frozenset()
    contract = Contract(version="1")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def render(self, prompt: str) -> str:
        raise NotImplementedError

    def generate(self, prompt: str) -> ModelReply:
        """Sends a prompt and holds the answer to the contract."""
        rendered = self.render(prompt)
        if self.count_tokens(rendered) > self.contract.max_tokens:
            raise ModelError(f"{self.model_name} takes {self.contract.max_tokens} tokens at most")
        try:
            answer = self._transport.send(self.model_name, rendered)
        except TransportError as error:
            raise ModelError(f"{self.model_name} did not answer: {error}") from error
        if not answer.text.strip():
            raise ModelError(f"{self.model_name} answered nothing")
        if answer.latency_ms > self.contract.max_latency_ms:
            raise ModelError(f"{self.model_name} took {answer.latency_ms:.0f} ms")
        return ModelReply(self.model_name, answer.text.strip(), answer.latency_ms)

    @staticmethod
    def count_tokens(text: str) -> int:
        """An upper estimate: no tokenizer makes more tokens than a word and a half."""
        return len(text.split()) * 3 // 2 + 1
