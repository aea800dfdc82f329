"""A vendored heap."""


def smallest(items):
    return min(items)
