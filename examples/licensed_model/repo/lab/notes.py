"""Comparisons that nobody pays for."""

CANDIDATES = ["mistral:7b", "orca-mini:3b"]
