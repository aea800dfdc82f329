"""One task from end to end: thought of, allowed, asked of a model, carried out, remembered."""

from support import down, registry_with

from backend.cognition.loop import Observation
from backend.governance import GovernanceEngine, Proposal
from backend.governance.approval_workflows import ApprovalWorkflow
from backend.governance.policy_enforcement import Policy, PolicyEnforcer
from backend.memory.recall import similar
from backend.models.failover import FailoverClient


def test_a_task_goes_through_every_part(boot, clock):
    boot.start()
    registry, _ = registry_with(mistral=down, phi=lambda prompt: "grow the disk")
    engine = GovernanceEngine(
        PolicyEnforcer([Policy("operations", "operate.*")]), ApprovalWorkflow(clock=clock)
    )
    seen = Observation("disk", "disk of node 3 is full", urgency=0.9)

    decision = boot.kernel("cognition").consider([seen])
    assert decision.action == "act"
    verdict = engine.decide(Proposal("t1", "agent", "operate.disk", reason=seen.summary))
    assert verdict.outcome == "go"
    client = FailoverClient(registry)
    outcome = boot.kernel("execution").submit(
        "ask", lambda: client.ask("text_generation", seen.summary)
    )
    assert outcome.result.text == "grow the disk"
    memory = boot.kernel("memory").store
    memory.remember(seen.summary, outcome.result.text)
    boot.kernel("cognition").loop.learn(decision, outcome.succeeded)

    assert similar(memory, seen) == [seen.summary]
    assert engine.log.verify() is None


def test_a_task_that_is_refused_reaches_no_model(clock):
    registry, transport = registry_with()
    engine = GovernanceEngine(
        PolicyEnforcer([Policy("reads", "read.*")]), ApprovalWorkflow(clock=clock)
    )
    verdict = engine.decide(Proposal("t1", "agent", "operate.disk", reason="full"))
    if verdict.outcome == "go":
        FailoverClient(registry).ask("text_generation", "full")
    assert verdict.outcome == "no"
    assert transport.sent == []
