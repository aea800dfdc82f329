from shop.prices import total


def test_nothing_costs_nothing():
    assert total([]) == 0
