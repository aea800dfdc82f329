"""The principles that no proposal may break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PROTECTED = ("backend/boot/", "backend/governance/")


@dataclass(frozen=True)
class Principle:
    name: str
    says: str
    holds: Callable[[dict], bool]


def _touches_protected(proposal: dict) -> bool:
    return any(path.startswith(PROTECTED) for path in proposal.get("paths", ()))


PRINCIPLES = (
    Principle(
        "preserve_layer1",
        "what boots the system changes only with a rollback plan",
        lambda proposal: not _touches_protected(proposal) or bool(proposal.get("rollback")),
    ),
    Principle(
        "never_sacrifice_safety",
        "no check is disabled",
        lambda proposal: not proposal.get("disables_checks", False),
    ),
    Principle(
        "keep_audit_trail",
        "whoever proposes says why",
        lambda proposal: bool(str(proposal.get("reason", "")).strip()),
    ),
)


class ConstitutionalEngine:
    def __init__(self, principles: tuple[Principle, ...] = PRINCIPLES) -> None:
        self._principles = principles

    def violations(self, proposal: dict) -> list[str]:
        """Names of the principles that a proposal breaks, in the order of the constitution."""
        return [principle.name for principle in self._principles if not principle.holds(proposal)]

    def explain(self, name: str) -> str:
        for principle in self._principles:
            if principle.name == name:
                return principle.says
        raise KeyError(name)
