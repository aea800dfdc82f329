"""A log in which each entry holds the hash of the one before, so that nothing can be taken out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
    index: int
    event: str
    details: dict[str, object]
    previous: str
    digest: str


def digest_of(index: int, event: str, details: dict[str, object], previous: str) -> str:
    text = json.dumps([index, event, details, previous], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class AuditLog:
    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def append(self, event: str, **details: object) -> Entry:
        previous = self._entries[-1].digest if self._entries else GENESIS
        index = len(self._entries)
        digest = digest_of(index, event, details, previous)
        entry = Entry(index, event, details, previous, digest)
        self._entries.append(entry)
        return entry

    def verify(self) -> int | None:
        """The index of the first entry that does not fit, or None when all do."""
        previous = GENESIS
        for position, entry in enumerate(self._entries):
            expected = digest_of(position, entry.event, entry.details, previous)
            if entry.index != position or entry.previous != previous or entry.digest != expected:
                return position
            previous = entry.digest
        return None

    def entries(self, event: str | None = None) -> list[Entry]:
        return [entry for entry in self._entries if event is None or entry.event == event]
