"""Customer data. Whoever calls this reads it."""

_ADDRESSES = {"ada": "1 Analytical Way", "grace": "2 Compiler Road"}


def address_of(customer):
    """The postal address."""
    return _ADDRESSES[customer]
