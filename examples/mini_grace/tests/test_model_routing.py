import dataclasses

import pytest
from support import registry_with

from backend.models import ModelError
from backend.models.qwen_coder_adapter import unfenced
from backend.models.routing import ModelRouter


@pytest.fixture
def registry():
    return registry_with()[0]


def test_a_capability_finds_its_model(registry):
    assert ModelRouter(registry).select("code_generation").model_name == "qwen2.5-coder:7b"


def test_the_fewest_errors_win(registry):
    registry.health["mistral:7b"].failed()
    assert ModelRouter(registry).select("text_generation").model_name == "phi3:medium"


def test_a_preference_wins_while_it_is_healthy(registry):
    router = ModelRouter(registry)
    registry.health["phi3:medium"].failed()
    assert router.select("text_generation", preferred="phi3:medium").model_name == "phi3:medium"
    registry.health["phi3:medium"].failed()
    registry.health["phi3:medium"].failed()
    assert router.select("text_generation", preferred="phi3:medium").model_name == "mistral:7b"


def test_a_capability_that_nobody_has_is_an_error(registry):
    with pytest.raises(ModelError, match="no healthy model offers vision"):
        ModelRouter(registry).select("vision")


def test_each_adapter_writes_its_models_prompt_format():
    registry, transport = registry_with()
    for name in ("mistral:7b", "qwen2.5-coder:7b", "phi3:medium"):
        registry.get(name).generate(" hello ")
    prompts = dict(transport.sent)
    assert prompts["mistral:7b"] == "<s>[INST] hello [/INST]"
    assert prompts["phi3:medium"] == "<|user|>\nhello<|end|>\n<|assistant|>\n"
    assert "<|im_start|>user\nhello<|im_end|>" in prompts["qwen2.5-coder:7b"]


def test_a_contract_that_changes_after_registration_is_noticed(registry):
    adapter = registry.get("mistral:7b")
    adapter.contract = dataclasses.replace(adapter.contract, max_latency_ms=60_000)
    assert registry.changed_contracts() == ["mistral:7b"]


def test_code_comes_without_its_fence():
    assert unfenced("```python\nx = 1\n```") == "x = 1"
    assert unfenced("x = 1") == "x = 1"
