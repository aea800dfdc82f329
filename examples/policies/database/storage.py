"""Rows, kept in memory for this example."""

_ROWS = [("ada", 1250), ("grace", 99)]


def rows():
    """All rows."""
    return list(_ROWS)
