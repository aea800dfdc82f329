"""Finds memories that resemble what is being observed."""

from __future__ import annotations

import re

from backend.cognition.loop import Observation
from backend.memory.store import MemoryStore

WORD = re.compile(r"[a-z0-9]+")


def words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


def similar(store: MemoryStore, observation: Observation, limit: int = 3) -> list[str]:
    """Keys of the memories that share most words with an observation, best first."""
    wanted = words(observation.summary)
    scored = []
    for key, value in store.items():
        found = words(f"{key} {value}")
        union = wanted | found
        score = len(wanted & found) / len(union) if union else 0.0
        if score > 0:
            scored.append((-score, key))
    return [key for _, key in sorted(scored)[:limit]]
