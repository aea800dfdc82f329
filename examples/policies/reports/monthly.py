"""Monthly reports: they read customer data through the invoices."""

from billing.invoices import invoice


def month_end(customers):
    """One invoice for each customer."""
    return [invoice(customer, 10) for customer in customers]
