"""Finds the kernels by the names under which they are configured."""

from __future__ import annotations

import importlib

from backend.kernels.base import BaseKernel, KernelError

KNOWN = {
    "memory": ("backend.kernels.memory_kernel", "MemoryKernel"),
    "execution": ("backend.kernels.execution_kernel", "ExecutionKernel"),
    "cognition": ("backend.kernels.cognition_kernel", "CognitionKernel"),
}


def load_kernel(name: str, **options) -> BaseKernel:
    """Imports the module of a kernel only when it is asked for."""
    if name not in KNOWN:
        raise KernelError(f"no kernel is called {name}; known are {', '.join(sorted(KNOWN))}")
    module_name, class_name = KNOWN[name]
    kernel_class = getattr(importlib.import_module(module_name), class_name)
    if not issubclass(kernel_class, BaseKernel):
        raise KernelError(f"{class_name} is no kernel")
    return kernel_class(**options)


def load_all(names: list[str], **options) -> list[BaseKernel]:
    return [load_kernel(name, **options) for name in names]
