"""A bounded memory: the least recently used entry leaves first, and entries may expire."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator


class MemoryStore:
    def __init__(self, capacity: int, clock: Callable[[], float] = time.monotonic) -> None:
        if capacity < 1:
            raise ValueError("a memory holds at least one entry")
        self._capacity = capacity
        self._clock = clock
        self._entries: OrderedDict[str, tuple[object, float | None]] = OrderedDict()

    def remember(self, key: str, value: object, seconds: float | None = None) -> None:
        expires = None if seconds is None else self._clock() + seconds
        self._entries[key] = (value, expires)
        self._entries.move_to_end(key)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def recall(self, key: str, default: object = None) -> object:
        entry = self._entries.get(key)
        if entry is None:
            return default
        value, expires = entry
        if expires is not None and expires <= self._clock():
            del self._entries[key]
            return default
        self._entries.move_to_end(key)
        return value

    def forget(self, key: str) -> bool:
        return self._entries.pop(key, None) is not None

    def items(self) -> Iterator[tuple[str, object]]:
        """Living entries, oldest use first."""
        now = self._clock()
        for key, (value, expires) in list(self._entries.items()):
            if expires is None or expires > now:
                yield key, value

    def __len__(self) -> int:
        return len(self._entries)
