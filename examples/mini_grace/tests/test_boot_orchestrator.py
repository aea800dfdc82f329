import pytest

from backend.boot.boot_kernel import BootKernel
from backend.boot.boot_orchestrator import BootOrchestrator, BootPlanError
from backend.kernels.base import BaseKernel, KernelError, KernelState


def kernel(name, *requires, fails=False):
    class Made(BaseKernel):
        def on_start(self):
            if fails:
                raise OSError("disk is full")

    Made.name = name
    Made.requires = requires
    return Made()


def names(kernels):
    return [kernel.name for kernel in kernels]


def test_each_kernel_starts_after_those_it_requires():
    order = BootOrchestrator([kernel("c", "b"), kernel("a"), kernel("b", "a")]).order()
    assert names(order) == ["a", "b", "c"]


def test_kernels_that_are_equal_start_by_name():
    assert names(BootOrchestrator([kernel("z"), kernel("m"), kernel("a")]).order()) == [
        "a",
        "m",
        "z",
    ]


def test_a_circle_is_refused():
    with pytest.raises(BootPlanError, match="a, b"):
        BootOrchestrator([kernel("a", "b"), kernel("b", "a")]).order()


def test_a_requirement_that_nobody_meets_is_refused():
    with pytest.raises(BootPlanError, match="a requires disk"):
        BootOrchestrator([kernel("a", "disk")]).order()


def test_two_of_one_name_are_refused():
    with pytest.raises(BootPlanError):
        BootOrchestrator([kernel("a"), kernel("a")])


def test_dependents_are_found_at_any_distance():
    orchestrator = BootOrchestrator([kernel("a"), kernel("b", "a"), kernel("c", "b"), kernel("d")])
    assert orchestrator.dependents("a") == {"b", "c"}


def test_a_failed_boot_leaves_nothing_running():
    first, second = kernel("a"), kernel("b", "a", fails=True)
    boot = BootKernel([second, first])
    with pytest.raises(KernelError, match="disk is full"):
        boot.start()
    assert first.state is KernelState.STOPPED
    assert boot.state is KernelState.FAILED
    assert (boot.report.started, boot.report.failed) == (["a"], "b")


def test_a_boot_reports_what_it_started(boot):
    boot.start()
    assert boot.report.started == ["memory", "execution", "cognition"]
    assert boot.report.complete
