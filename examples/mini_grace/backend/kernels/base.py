"""What every kernel is: a named part with a life cycle and a heartbeat."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable


class KernelState(enum.Enum):
    NEW = "new"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"


class KernelError(RuntimeError):
    """A kernel was asked for something that its state does not allow, or failed."""


class BaseKernel:
    """Subclasses say their name and what they need, and override the three hooks."""

    name: str = "kernel"
    requires: tuple[str, ...] = ()

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.state = KernelState.NEW
        self.started_at: float | None = None
        self.last_beat: float | None = None
        self.failure: str | None = None

    def start(self) -> None:
        if self.state is KernelState.RUNNING:
            raise KernelError(f"{self.name} is already running")
        try:
            self.on_start()
        except Exception as error:
            self.fail(str(error))
            raise KernelError(f"{self.name} did not start: {error}") from error
        self.state = KernelState.RUNNING
        self.failure = None
        self.started_at = self._clock()
        self.beat()

    def stop(self) -> None:
        """Stops the kernel. A kernel that does not run stays as it is."""
        if self.state is KernelState.RUNNING:
            self.on_stop()
            self.state = KernelState.STOPPED

    def fail(self, reason: str) -> None:
        self.state = KernelState.FAILED
        self.failure = reason

    def beat(self) -> None:
        self.last_beat = self._clock()

    def is_alive(self, within: float) -> bool:
        """Whether it runs and gave a sign of life in the last `within` seconds."""
        if self.state is not KernelState.RUNNING or self.last_beat is None:
            return False
        return self.on_check() and self._clock() - self.last_beat <= within

    def on_start(self) -> None:
        """Acquire what the kernel needs."""

    def on_stop(self) -> None:
        """Release it again."""

    def on_check(self) -> bool:
        """Whether the kernel's own work is in order."""
        return True
