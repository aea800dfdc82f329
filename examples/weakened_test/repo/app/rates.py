"""Interest."""


def interest(amount, rate):
    """Interest for one year."""
    return amount * rate / 100
