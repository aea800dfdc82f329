"""Things break while the system runs, and it comes back."""

import pytest

from backend.boot.control_plane import ControlPlane
from backend.boot.restart import restart_all
from backend.kernels.base import KernelError, KernelState


class Flaky:
    """Makes a kernel fail to start a number of times."""

    def __init__(self, kernel, failures):
        self._failures = failures
        self._on_start = kernel.on_start
        kernel.on_start = self

    def __call__(self):
        if self._failures > 0:
            self._failures -= 1
            raise OSError("not yet")
        self._on_start()


def test_restart(boot):
    boot.start()
    boot.kernel("execution").fail("killed")
    report = restart_all(boot)
    assert report.complete
    assert report.started == ["memory", "execution", "cognition"]
    assert ControlPlane(boot).ready()


def test_a_kernel_that_fails_twice_is_restarted_a_third_time(boot):
    Flaky(boot.kernel("execution"), failures=2)
    assert restart_all(boot, attempts=3).complete
    assert boot.state is KernelState.RUNNING


def test_a_kernel_that_never_starts_takes_nothing_else_along(boot):
    Flaky(boot.kernel("cognition"), failures=99)
    with pytest.raises(KernelError, match="cognition did not start"):
        restart_all(boot, attempts=2)
    assert boot.kernel("memory").state is KernelState.STOPPED
    assert boot.kernel("execution").state is KernelState.STOPPED


def test_one_kernel_can_be_killed_and_restarted_while_others_run(boot):
    boot.start()
    memory = boot.kernel("memory")
    boot.kernel("cognition").fail("killed")
    control = ControlPlane(boot)
    assert not control.ready()
    control.restart("cognition")
    assert control.ready()
    assert memory.started_at is not None


def test_every_kernel_survives_being_killed(boot):
    boot.start()
    control = ControlPlane(boot)
    for name in ("memory", "execution", "cognition"):
        boot.kernel(name).fail("killed")
        control.restart(name)
        assert control.ready(), name
