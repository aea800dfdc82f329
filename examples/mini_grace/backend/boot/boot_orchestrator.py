"""In which order kernels start: each after those it requires."""

from __future__ import annotations

from collections.abc import Iterable

from backend.kernels.base import BaseKernel


class BootPlanError(ValueError):
    """No order satisfies what the kernels require."""


class BootOrchestrator:
    def __init__(self, kernels: Iterable[BaseKernel]) -> None:
        self._kernels: dict[str, BaseKernel] = {}
        for kernel in kernels:
            if kernel.name in self._kernels:
                raise BootPlanError(f"two kernels are called {kernel.name}")
            self._kernels[kernel.name] = kernel

    def order(self) -> list[BaseKernel]:
        """Kernels in starting order; among equals, by name."""
        order: list[BaseKernel] = []
        placed: set[str] = set()
        waiting = dict(sorted(self._kernels.items()))
        self._check_requirements()
        while waiting:
            ready = [name for name, kernel in waiting.items() if placed.issuperset(kernel.requires)]
            if not ready:
                raise BootPlanError("these wait for each other: " + ", ".join(waiting))
            for name in ready:
                order.append(waiting.pop(name))
                placed.add(name)
        return order

    def dependents(self, name: str) -> set[str]:
        """Every kernel that cannot run without `name`, at any distance."""
        found: set[str] = set()
        frontier = {name}
        while frontier:
            frontier = {
                kernel.name
                for kernel in self._kernels.values()
                if frontier.intersection(kernel.requires) and kernel.name not in found
            }
            found |= frontier
        return found

    def _check_requirements(self) -> None:
        for kernel in self._kernels.values():
            for needed in kernel.requires:
                if needed not in self._kernels:
                    raise BootPlanError(f"{kernel.name} requires {needed}, which nobody provides")
