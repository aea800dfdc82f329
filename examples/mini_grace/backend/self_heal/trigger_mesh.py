"""Events and who hears them: topics with wildcards, delivered in order, never in circles."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Event:
    topic: str
    payload: dict[str, object] = field(default_factory=dict)
    hops: int = 0


Handler = Callable[[Event], "list[Event] | None"]


class TriggerMesh:
    def __init__(self, max_hops: int = 5) -> None:
        self._max_hops = max_hops
        self._handlers: list[tuple[str, Handler]] = []
        self.dropped: list[Event] = []
        self.errors: list[tuple[Event, str]] = []

    def subscribe(self, pattern: str, handler: Handler) -> Callable[[], None]:
        """Calls `handler` for each event whose topic fits; returns how to stop that."""
        entry = (pattern, handler)
        self._handlers.append(entry)
        return lambda: self._handlers.remove(entry)

    def publish(self, event: Event) -> list[Event]:
        """Delivers an event and all that follow from it; returns them in order of delivery.

        A handler that fails stops no other. An event too many hops away from its cause is dropped.
        """
        delivered: list[Event] = []
        waiting = deque([event])
        while waiting:
            current = waiting.popleft()
            if current.hops > self._max_hops:
                self.dropped.append(current)
                continue
            delivered.append(current)
            for pattern, handler in list(self._handlers):
                if not fnmatchcase(current.topic, pattern):
                    continue
                try:
                    following = handler(current) or []
                except Exception as error:  # a handler is foreign code
                    self.errors.append((current, str(error)))
                    continue
                waiting.extend(Event(e.topic, e.payload, current.hops + 1) for e in following)
        return delivered
