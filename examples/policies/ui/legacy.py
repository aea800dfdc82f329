"""The old report screen; it still reads the database itself."""

from database.storage import rows


def report_screen():
    """Every row, one a line."""
    return [str(row) for row in rows()]
