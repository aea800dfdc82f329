"""Policies: limits on what actors may do, checked before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


class PolicyViolation(PermissionError):
    """An action that a policy forbids."""


@dataclass(frozen=True)
class Policy:
    name: str
    actions: str
    min_trust: float = 0.0
    forbidden: bool = False

    def covers(self, action: str) -> bool:
        return fnmatchcase(action, self.actions)


class PolicyEnforcer:
    """Every policy that covers an action must allow it; an action that none covers is refused."""

    def __init__(self, policies: list[Policy]) -> None:
        self._policies = policies

    def enforce(self, action: str, trust: float) -> list[str]:
        """Returns the names of the policies that allowed it, or raises the first that does not."""
        covering = [policy for policy in self._policies if policy.covers(action)]
        if not covering:
            raise PolicyViolation(f"no policy covers {action}")
        for policy in covering:
            if policy.forbidden:
                raise PolicyViolation(f"{policy.name} forbids {action}")
            if trust < policy.min_trust:
                raise PolicyViolation(
                    f"{policy.name} wants trust of {policy.min_trust:.2f}"
                    f" for {action}, it is {trust:.2f}"
                )
        return [policy.name for policy in covering]
