import pytest
from support import down, registry_with

from backend.models import ModelError
from backend.models.failover import FailoverClient


def test_the_next_model_answers_when_one_is_down():
    registry, _ = registry_with(mistral=down)
    reply = FailoverClient(registry).ask("text_generation", "hi", preferred="mistral:7b")
    assert (reply.model, reply.text) == ("phi3:medium", "from phi")
    assert registry.health["mistral:7b"].failures == 1


def test_an_empty_answer_is_a_failure():
    registry, _ = registry_with(mistral=lambda prompt: "  ")
    assert (
        FailoverClient(registry).ask("text_generation", "hi", "mistral:7b").model == "phi3:medium"
    )


def test_a_model_that_stays_down_is_no_longer_asked():
    registry, transport = registry_with(mistral=down)
    client = FailoverClient(registry)
    for _ in range(5):
        client.ask("text_generation", "hi", preferred="mistral:7b")
    assert [model for model, _ in transport.sent].count("mistral:7b") == 3


def test_when_all_are_down_every_reason_is_given():
    registry, _ = registry_with(mistral=down, phi=down)
    with pytest.raises(ModelError) as raised:
        FailoverClient(registry).ask("text_generation", "hi")
    assert "mistral:7b did not answer" in str(raised.value)
    assert "phi3:medium did not answer" in str(raised.value)


def test_a_prompt_that_is_too_long_is_not_sent():
    registry, transport = registry_with()
    with pytest.raises(ModelError, match="4096 tokens at most"):
        registry.get("phi3:medium").generate("word " * 4000)
    assert transport.sent == []
