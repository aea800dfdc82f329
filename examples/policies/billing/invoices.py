"""Invoices."""

from billing.pii import address_of


def invoice(customer, amount):
    """The text of one invoice."""
    return f"{address_of(customer)}\n{amount}"
