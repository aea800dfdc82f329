import pytest
from support import registry_with

from backend.models import ModelAdapter, ModelError
from backend.models.health import ModelHealth


def test_three_failures_in_a_row_make_a_model_unhealthy():
    health = ModelHealth()
    health.failed()
    health.failed()
    assert health.healthy
    health.failed()
    assert not health.healthy


def test_an_answer_makes_it_healthy_again_and_the_rate_remembers():
    health = ModelHealth()
    for _ in range(3):
        health.failed()
    health.succeeded(120.0)
    assert health.healthy
    assert health.error_rate == pytest.approx(0.75)


def test_the_median_latency_ignores_one_slow_answer():
    health = ModelHealth()
    for latency in (100.0, 110.0, 9000.0):
        health.succeeded(latency)
    assert health.median_latency_ms == 110.0


def test_nothing_is_known_of_a_model_that_was_never_asked():
    health = ModelHealth()
    assert (health.healthy, health.error_rate, health.median_latency_ms) == (True, 0.0, None)


def test_a_model_is_registered_once_and_with_capabilities():
    registry, transport = registry_with()
    with pytest.raises(ModelError, match="already registered"):
        registry.register(registry.get("mistral:7b"))
    with pytest.raises(ModelError, match="says its model's name"):
        registry.register(ModelAdapter(transport))
