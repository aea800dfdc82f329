"""The kernel that keeps what the system remembers."""

from __future__ import annotations

from backend.kernels.base import BaseKernel, KernelError
from backend.memory.store import MemoryStore


class MemoryKernel(BaseKernel):
    name = "memory"

    def __init__(self, capacity: int = 256, **options) -> None:
        super().__init__(**options)
        self._capacity = capacity
        self._store: MemoryStore | None = None

    @property
    def store(self) -> MemoryStore:
        if self._store is None:
            raise KernelError("memory is not running")
        return self._store

    def on_start(self) -> None:
        self._store = MemoryStore(self._capacity, clock=self._clock)

    def on_stop(self) -> None:
        self._store = None

    def on_check(self) -> bool:
        return self._store is not None and len(self._store) <= self._capacity
