"""What partners were promised."""

from x.api import convert


def test_two_decimals():
    assert convert(1250, "EUR") == "12.50 EUR"


def test_the_currency_comes_last():
    assert convert(99, "USD").endswith("USD")
