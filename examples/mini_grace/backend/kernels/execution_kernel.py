"""The kernel that carries out tasks."""

from __future__ import annotations

from collections.abc import Callable

from backend.execution.executor import Executor, Outcome
from backend.kernels.base import BaseKernel, KernelError, KernelState


class ExecutionKernel(BaseKernel):
    name = "execution"
    requires = ("memory",)

    def __init__(self, attempts: int = 2, **options) -> None:
        super().__init__(**options)
        self._executor = Executor(attempts=attempts)

    def submit(self, name: str, action: Callable[[], object]) -> Outcome:
        if self.state is not KernelState.RUNNING:
            raise KernelError("execution is not running")
        outcome = self._executor.run(name, action)
        self.beat()
        return outcome

    def on_check(self) -> bool:
        return self._executor.failure_rate() < 0.5
