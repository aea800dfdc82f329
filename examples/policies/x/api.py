"""The public interface of package x."""


def convert(amount: int, currency: str) -> str:
    """Write an amount with its currency."""
    return _written(amount, currency)


def _written(amount: int, currency: str) -> str:
    return f"{amount / 100:.2f} {currency}"
