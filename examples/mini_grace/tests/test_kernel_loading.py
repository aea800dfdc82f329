import pytest

from backend.boot.loader import KNOWN, load_kernel
from backend.kernels import BaseKernel, KernelError, KernelState


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_known_kernel_loads_under_its_name(name):
    kernel = load_kernel(name)
    assert isinstance(kernel, BaseKernel)
    assert kernel.name == name
    assert kernel.state is KernelState.NEW


def test_an_unknown_kernel_is_refused_with_those_that_are_known():
    with pytest.raises(KernelError, match="cognition, execution, memory"):
        load_kernel("vision")


def test_a_running_kernel_cannot_be_started_again():
    kernel = load_kernel("memory")
    kernel.start()
    with pytest.raises(KernelError, match="already running"):
        kernel.start()


def test_memory_holds_only_while_it_runs(clock):
    kernel = load_kernel("memory", capacity=2, clock=clock)
    with pytest.raises(KernelError):
        kernel.store
    kernel.start()
    for key in "abc":
        kernel.store.remember(key, key.upper())
    assert kernel.store.recall("a") is None
    assert kernel.store.recall("c") == "C"
    kernel.stop()
    with pytest.raises(KernelError):
        kernel.store


def test_execution_gives_a_second_chance():
    kernel = load_kernel("execution")
    kernel.start()
    answers = iter([ValueError("once"), "done"])

    def action():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    outcome = kernel.submit("try", action)
    assert (outcome.succeeded, outcome.attempts, outcome.result) == (True, 2, "done")


def test_execution_that_mostly_fails_is_not_alive():
    kernel = load_kernel("execution")
    kernel.start()
    outcome = kernel.submit("divide", lambda: 1 / 0)
    assert outcome.error == "ZeroDivisionError: division by zero"
    assert not kernel.is_alive(within=60)
