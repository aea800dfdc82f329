"""A clock that moves only when a test says so, and a system of three kernels."""

import pytest

from backend.boot.boot_kernel import BootKernel
from backend.boot.loader import load_all


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def boot(clock) -> BootKernel:
    return BootKernel(load_all(["cognition", "execution", "memory"], clock=clock), clock=clock)
