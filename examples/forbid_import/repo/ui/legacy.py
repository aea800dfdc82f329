"""The old report screen."""

from database.storage import rows


def report_screen():
    return [str(row) for row in rows()]
