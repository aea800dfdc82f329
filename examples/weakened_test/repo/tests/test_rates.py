import pytest

from app.rates import interest


@pytest.mark.parametrize("rate", [0, 1, 5])
def test_interest_grows_with_the_rate(rate):
    assert interest(100, rate) == rate
    assert interest(200, rate) == 2 * rate


def test_no_amount_bears_no_interest():
    assert interest(0, 5) == 0


def test_a_negative_rate_costs():
    assert interest(100, -1) == -1
