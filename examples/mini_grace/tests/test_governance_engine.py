import pytest

from backend.governance import GovernanceEngine, Proposal
from backend.governance.approval_workflows import ApprovalWorkflow
from backend.governance.policy_enforcement import Policy, PolicyEnforcer


@pytest.fixture
def approvals(clock):
    return ApprovalWorkflow(clock=clock)


@pytest.fixture
def engine(approvals):
    policies = [
        Policy("edits", "edit.*", min_trust=0.4),
        Policy("no deletes", "delete.*", forbidden=True),
    ]
    return GovernanceEngine(PolicyEnforcer(policies), approvals)


def proposal(**changes):
    base = {"id": "p1", "actor": "agent", "action": "edit.code", "reason": "faster recall"}
    return Proposal(**{**base, **changes})


def test_an_ordinary_edit_goes(engine):
    assert engine.decide(proposal()).outcome == "go"


def test_a_change_of_boot_waits_for_an_approval_and_then_goes(engine, approvals):
    boot = proposal(paths=("backend/boot/boot_kernel.py",), rollback="git revert")
    assert engine.decide(boot).outcome == "wait"
    approvals.approve("p1", "ada")
    assert engine.decide(boot).outcome == "go"


def test_a_change_of_boot_without_a_rollback_plan_is_refused(engine):
    verdict = engine.decide(proposal(paths=("backend/boot/boot_kernel.py",)))
    assert verdict.outcome == "no"
    assert verdict.reasons == ("what boots the system changes only with a rollback plan",)


def test_a_forbidden_action_is_refused(engine):
    assert engine.decide(proposal(action="delete.logs")).outcome == "no"


def test_an_actor_who_lost_trust_needs_an_approval(engine):
    engine.trust.failed("agent")
    engine.trust.failed("agent")
    assert engine.trust.score("agent") == pytest.approx(0.4)
    assert engine.decide(proposal()).outcome == "wait"


def test_trust_is_lost_faster_than_it_is_earned(engine):
    engine.trust.failed("agent")
    engine.trust.succeeded("agent")
    assert engine.trust.score("agent") == pytest.approx(0.57)


def test_every_decision_is_in_the_log_and_the_log_is_whole(engine):
    engine.decide(proposal())
    engine.decide(proposal(id="p2", action="delete.logs"))
    assert [entry.details["outcome"] for entry in engine.log.entries("decision")] == ["go", "no"]
    assert engine.log.verify() is None


def test_a_changed_log_is_noticed_where_it_was_changed(engine):
    for name in ("p1", "p2", "p3"):
        engine.decide(proposal(id=name))
    engine.log.entries()[1].details["outcome"] = "no"
    assert engine.log.verify() == 1
