"""Accounts, over whatever store it is handed."""


def balance_line(store, customer):
    """One line with the balance."""
    balances = dict(store.rows())
    return f"balance {balances[customer]}"
