"""How a prompt gets to a model.

`InProcessTransport` is the only one here: it calls a Python function. It is no model and does not
pretend to be one; it is what an HTTP client would be in a larger system, and what the tests use.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class TransportError(OSError):
    """The answer did not arrive."""


@dataclass(frozen=True)
class Answer:
    text: str
    latency_ms: float


class Transport(Protocol):
    def send(self, model: str, prompt: str) -> Answer: ...


class InProcessTransport:
    """Answers come from `handlers`, one function for each model name."""

    def __init__(
        self,
        handlers: dict[str, Callable[[str], str]],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._handlers = handlers
        self._clock = clock
        self.sent: list[tuple[str, str]] = []

    def send(self, model: str, prompt: str) -> Answer:
        self.sent.append((model, prompt))
        handler = self._handlers.get(model)
        if handler is None:
            raise TransportError(f"nothing serves {model}")
        began = self._clock()
        text = handler(prompt)
        return Answer(text, (self._clock() - began) * 1000)
