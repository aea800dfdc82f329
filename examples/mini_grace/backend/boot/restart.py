"""Restarts the whole system, and says how it went."""

from __future__ import annotations

from backend.boot.boot_kernel import BootKernel, BootReport
from backend.kernels.base import KernelError


def restart_all(boot: BootKernel, attempts: int = 3) -> BootReport:
    """Stops and starts everything, at most `attempts` times, until a start succeeds."""
    boot.stop()
    for attempt in range(1, attempts + 1):
        try:
            boot.start()
        except KernelError:
            if attempt == attempts:
                raise
        else:
            break
    return boot.report
