from shop.names import greeting


def test_a_customer_is_greeted_by_name():
    assert greeting("Ada") == "Hello Ada"
