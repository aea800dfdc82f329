"""Approvals: who has to agree, who did, and until when that counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


class ApprovalError(ValueError):
    """An approval that cannot be given."""


@dataclass
class ApprovalRequest:
    subject: str
    author: str
    needed: int
    opened_at: float
    approvers: dict[str, float] = field(default_factory=dict)
    denied_by: str | None = None


class ApprovalWorkflow:
    def __init__(self, valid_for: float = 3600.0, clock: Callable[[], float] = time.time) -> None:
        self._valid_for = valid_for
        self._clock = clock
        self._requests: dict[str, ApprovalRequest] = {}

    def open(self, subject: str, author: str, needed: int = 1) -> ApprovalRequest:
        if needed < 1:
            raise ApprovalError("at least one approval is needed")
        if subject in self._requests:
            raise ApprovalError(f"{subject} is already waiting for approval")
        request = ApprovalRequest(subject, author, needed, self._clock())
        self._requests[subject] = request
        return request

    def approve(self, subject: str, approver: str) -> None:
        request = self._request(subject)
        if approver == request.author:
            raise ApprovalError("nobody approves their own change")
        if request.denied_by is not None:
            raise ApprovalError(f"{subject} was denied by {request.denied_by}")
        request.approvers[approver] = self._clock()

    def deny(self, subject: str, approver: str) -> None:
        self._request(subject).denied_by = approver

    def granted(self, subject: str) -> bool:
        """Whether enough people agreed, nobody refused, and no agreement has run out."""
        request = self._request(subject)
        now = self._clock()
        valid = [at for at in request.approvers.values() if now - at <= self._valid_for]
        return request.denied_by is None and len(valid) >= request.needed

    def _request(self, subject: str) -> ApprovalRequest:
        if subject not in self._requests:
            raise ApprovalError(f"nothing called {subject} waits for approval")
        return self._requests[subject]
