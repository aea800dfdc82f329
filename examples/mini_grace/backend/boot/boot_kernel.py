"""The kernel that starts all others, in order, and takes them down again when one fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.boot.boot_orchestrator import BootOrchestrator
from backend.kernels.base import BaseKernel, KernelError, KernelState


@dataclass
class BootReport:
    """What happened while booting, for the control plane and for people."""

    started: list[str] = field(default_factory=list)
    failed: str | None = None
    reason: str | None = None

    @property
    def complete(self) -> bool:
        return self.failed is None


class BootKernel(BaseKernel):
    name = "boot"

    def __init__(self, kernels: Iterable[BaseKernel], **options) -> None:
        super().__init__(**options)
        self.orchestrator = BootOrchestrator(kernels)
        self.report = BootReport()

    def start(self) -> None:
        """Starts every kernel after those it requires.

        When one fails, those that already run are stopped in reverse order, and the failure is
        raised: a half-booted system is worse than none.
        """
        if self.state is KernelState.RUNNING:
            raise KernelError("boot is already running")
        self.report = BootReport()
        running: list[BaseKernel] = []
        for kernel in self.orchestrator.order():
            try:
                kernel.start()
            except KernelError as error:
                self.report.failed = kernel.name
                self.report.reason = str(error)
                self._unwind(running)
                self.fail(str(error))
                raise
            running.append(kernel)
            self.report.started.append(kernel.name)
        super().start()

    def on_stop(self) -> None:
        self._unwind(self.orchestrator.order())

    def on_check(self) -> bool:
        return all(kernel.state is KernelState.RUNNING for kernel in self.orchestrator.order())

    def kernel(self, name: str) -> BaseKernel:
        for kernel in self.orchestrator.order():
            if kernel.name == name:
                return kernel
        raise KernelError(f"no kernel is called {name}")

    @staticmethod
    def _unwind(kernels: list[BaseKernel]) -> None:
        for kernel in reversed(kernels):
            kernel.stop()
