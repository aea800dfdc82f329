"""What an operator can see and do: status, pause, resume, restart of one kernel."""

from __future__ import annotations

from backend.boot.boot_kernel import BootKernel
from backend.kernels.base import KernelError, KernelState


class ControlPlane:
    def __init__(self, boot: BootKernel, alive_within: float = 30.0) -> None:
        self._boot = boot
        self._alive_within = alive_within
        self.paused = False

    def status(self) -> dict[str, str]:
        """The state of each kernel; `silent` is one that runs and gives no sign of life."""
        status = {}
        for kernel in self._boot.orchestrator.order():
            state = kernel.state.value
            if kernel.state is KernelState.RUNNING and not kernel.is_alive(self._alive_within):
                state = "silent"
            status[kernel.name] = state
        return status

    def ready(self) -> bool:
        return not self.paused and all(state == "running" for state in self.status().values())

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        if self._boot.state is not KernelState.RUNNING:
            raise KernelError("cannot resume a system that is not booted")
        self.paused = False

    def restart(self, name: str) -> list[str]:
        """Restarts one kernel and all that depend on it, and returns their names in order."""
        affected = self._boot.orchestrator.dependents(name) | {name}
        order = [kernel for kernel in self._boot.orchestrator.order() if kernel.name in affected]
        if not order:
            raise KernelError(f"no kernel is called {name}")
        for kernel in reversed(order):
            kernel.stop()
        for kernel in order:
            kernel.start()
        return [kernel.name for kernel in order]
