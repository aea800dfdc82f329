"""The decision about a proposal: constitution, then policy, then approval, all written down."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.governance.approval_workflows import ApprovalWorkflow
from backend.governance.audit_log import AuditLog
from backend.governance.constitutional_engine import ConstitutionalEngine
from backend.governance.policy_enforcement import PolicyEnforcer, PolicyViolation
from backend.governance.trust import TrustLedger


@dataclass(frozen=True)
class Proposal:
    id: str
    actor: str
    action: str
    reason: str
    paths: tuple[str, ...] = ()
    rollback: str | None = None
    disables_checks: bool = False


@dataclass(frozen=True)
class Verdict:
    outcome: str  # go, wait, or no
    reasons: tuple[str, ...] = field(default_factory=tuple)


class GovernanceEngine:
    def __init__(
        self,
        enforcer: PolicyEnforcer,
        approvals: ApprovalWorkflow,
        trust: TrustLedger | None = None,
        constitution: ConstitutionalEngine | None = None,
        log: AuditLog | None = None,
    ) -> None:
        self._enforcer = enforcer
        self._approvals = approvals
        self.trust = trust or TrustLedger()
        self._constitution = constitution or ConstitutionalEngine()
        self.log = log or AuditLog()
        self._opened: set[str] = set()

    def decide(self, proposal: Proposal) -> Verdict:
        verdict = self._decide(proposal)
        self.log.append(
            "decision",
            proposal=proposal.id,
            actor=proposal.actor,
            action=proposal.action,
            outcome=verdict.outcome,
            reasons=list(verdict.reasons),
        )
        return verdict

    def needs_approval(self, proposal: Proposal) -> bool:
        sensitive = any(
            path.startswith(("backend/boot/", "backend/governance/", "backend/models/"))
            for path in proposal.paths
        )
        return sensitive or self.trust.score(proposal.actor) < 0.5

    def _decide(self, proposal: Proposal) -> Verdict:
        broken = self._constitution.violations(
            {
                "paths": proposal.paths,
                "rollback": proposal.rollback,
                "reason": proposal.reason,
                "disables_checks": proposal.disables_checks,
            }
        )
        if broken:
            return Verdict("no", tuple(self._constitution.explain(name) for name in broken))
        try:
            allowed = self._enforcer.enforce(proposal.action, self.trust.score(proposal.actor))
        except PolicyViolation as violation:
            return Verdict("no", (str(violation),))
        if self.needs_approval(proposal):
            if proposal.id not in self._opened:
                self._approvals.open(proposal.id, proposal.actor)
                self._opened.add(proposal.id)
            if not self._approvals.granted(proposal.id):
                return Verdict("wait", ("an approval is needed",))
        return Verdict("go", tuple(allowed))
