"""Accounts, over whatever store it is handed."""


def balance_line(store, customer):
    return f"balance {dict(store.rows())[customer]}"
