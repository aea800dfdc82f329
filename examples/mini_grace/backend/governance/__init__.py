"""Who may do what, who has to agree, and what is written down about it."""

from backend.governance.governance_engine import GovernanceEngine, Proposal, Verdict

__all__ = ["GovernanceEngine", "Proposal", "Verdict"]
