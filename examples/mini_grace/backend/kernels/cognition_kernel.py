"""The kernel that decides what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from backend.cognition.loop import CognitiveLoop, Decision, Observation
from backend.kernels.base import BaseKernel, KernelError, KernelState


class CognitionKernel(BaseKernel):
    name = "cognition"
    requires = ("memory", "execution")

    def __init__(self, loop: CognitiveLoop | None = None, **options) -> None:
        super().__init__(**options)
        self.loop = loop or CognitiveLoop()

    def consider(self, observations: Iterable[Observation]) -> Decision:
        if self.state is not KernelState.RUNNING:
            raise KernelError("cognition is not running")
        decision = self.loop.step(observations)
        self.beat()
        return decision
