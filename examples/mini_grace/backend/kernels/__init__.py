"""Kernels: the long-running parts of the system."""

from backend.kernels.base import BaseKernel, KernelError, KernelState

__all__ = ["BaseKernel", "KernelError", "KernelState"]
