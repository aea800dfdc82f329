"""Incidents in SQLite."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

SCHEMA = """
CREATE TABLE IF NOT EXISTS incidents (
    id INTEGER PRIMARY KEY,
    component TEXT NOT NULL,
    summary TEXT NOT NULL,
    resolved INTEGER NOT NULL DEFAULT 0
)
"""


@dataclass(frozen=True)
class Incident:
    id: int
    component: str
    summary: str
    resolved: bool


class IncidentRecords:
    def __init__(self, path: str = ":memory:") -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute(SCHEMA)

    def add(self, component: str, summary: str) -> int:
        with self._connection:
            cursor = self._connection.execute(
                "INSERT INTO incidents (component, summary) VALUES (?, ?)", (component, summary)
            )
        return int(cursor.lastrowid or 0)

    def resolve(self, incident: int) -> bool:
        with self._connection:
            cursor = self._connection.execute(
                "UPDATE incidents SET resolved = 1 WHERE id = ? AND resolved = 0", (incident,)
            )
        return cursor.rowcount == 1

    def open_incidents(self) -> list[Incident]:
        rows = self._connection.execute(
            "SELECT id, component, summary, resolved FROM incidents WHERE resolved = 0 ORDER BY id"
        )
        return [Incident(row[0], row[1], row[2], bool(row[3])) for row in rows]

    def close(self) -> None:
        self._connection.close()
