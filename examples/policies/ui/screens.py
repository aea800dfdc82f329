"""Screens: what a customer sees."""

from services.accounts import balance_line


def account_screen(store, customer):
    """The lines of one customer's page."""
    return [f"Hello {customer}", balance_line(store, customer)]
