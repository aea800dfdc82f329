"""Rows."""


def rows():
    return [("ada", 1250)]
