"""Language models behind one interface."""

from backend.models.base import ModelAdapter, ModelError, ModelReply
from backend.models.mistral_adapter import MistralAdapter
from backend.models.phi_adapter import PhiAdapter
from backend.models.qwen_coder_adapter import QwenCoderAdapter

__all__ = [
    "MistralAdapter",
    "ModelAdapter",
    "ModelError",
    "ModelReply",
    "PhiAdapter",
    "QwenCoderAdapter",
]
