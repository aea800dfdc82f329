"""Models for the tests: real adapters on a transport that calls functions."""

from backend.models import MistralAdapter, PhiAdapter, QwenCoderAdapter
from backend.models.registry import ModelRegistry
from backend.models.transport import InProcessTransport, TransportError


def down(prompt):
    raise TransportError("connection refused")


def registry_with(**handlers):
    """A registry of all three; each answers by its function, or with its name."""
    answers = {
        "mistral": lambda p: "from mistral",
        "qwen": lambda p: "from qwen",
        "phi": lambda p: "from phi",
    }
    answers.update(handlers)
    transport = InProcessTransport(
        {
            "mistral:7b": answers["mistral"],
            "qwen2.5-coder:7b": answers["qwen"],
            "phi3:medium": answers["phi"],
        }
    )
    registry = ModelRegistry()
    for adapter in (MistralAdapter, QwenCoderAdapter, PhiAdapter):
        registry.register(adapter(transport))
    return registry, transport
