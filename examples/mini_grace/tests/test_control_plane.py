import pytest

from backend.boot.control_plane import ControlPlane
from backend.kernels.base import KernelError


def test_a_booted_system_is_ready(boot):
    boot.start()
    assert ControlPlane(boot).ready()


def test_a_system_that_was_not_booted_is_not_ready(boot):
    control = ControlPlane(boot)
    assert not control.ready()
    assert control.status() == {"memory": "new", "execution": "new", "cognition": "new"}


def test_a_kernel_without_a_sign_of_life_is_silent(boot, clock):
    boot.start()
    clock.advance(31)
    boot.kernel("memory").beat()
    control = ControlPlane(boot, alive_within=30)
    assert control.status() == {"memory": "running", "execution": "silent", "cognition": "silent"}
    assert not control.ready()


def test_pause_and_resume(boot):
    boot.start()
    control = ControlPlane(boot)
    control.pause()
    assert not control.ready()
    control.resume()
    assert control.ready()


def test_what_is_not_booted_cannot_be_resumed(boot):
    with pytest.raises(KernelError):
        ControlPlane(boot).resume()


def test_a_restart_takes_the_dependents_along(boot):
    boot.start()
    assert ControlPlane(boot).restart("execution") == ["execution", "cognition"]
    assert ControlPlane(boot).ready()


def test_an_unknown_kernel_cannot_be_restarted(boot):
    boot.start()
    with pytest.raises(KernelError, match="no kernel is called nobody"):
        ControlPlane(boot).restart("nobody")
