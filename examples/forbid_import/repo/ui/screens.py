"""Screens."""

from services.accounts import balance_line


def account_screen(store, customer):
    return [customer, balance_line(store, customer)]
