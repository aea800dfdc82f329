from billing.invoices import invoice


def test_an_invoice_names_the_address():
    text = invoice("ada", 10)
    assert "Analytical" in text
    assert text.endswith("10")
