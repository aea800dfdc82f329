"""Names of customers."""


def greeting(name):
    """How a customer is greeted."""
    return f"Hello {name}"
