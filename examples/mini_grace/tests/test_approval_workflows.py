import pytest

from backend.governance.approval_workflows import ApprovalError, ApprovalWorkflow


@pytest.fixture
def workflow(clock):
    workflow = ApprovalWorkflow(valid_for=60, clock=clock)
    workflow.open("change", author="agent", needed=2)
    return workflow


def test_enough_approvals_grant(workflow):
    workflow.approve("change", "ada")
    assert not workflow.granted("change")
    workflow.approve("change", "grace")
    assert workflow.granted("change")


def test_one_person_counts_once(workflow):
    workflow.approve("change", "ada")
    workflow.approve("change", "ada")
    assert not workflow.granted("change")


def test_nobody_approves_their_own_change(workflow):
    with pytest.raises(ApprovalError, match="own change"):
        workflow.approve("change", "agent")


def test_a_refusal_ends_it(workflow):
    workflow.approve("change", "ada")
    workflow.approve("change", "grace")
    workflow.deny("change", "linus")
    assert not workflow.granted("change")
    with pytest.raises(ApprovalError, match="denied by linus"):
        workflow.approve("change", "bob")


def test_approvals_run_out(workflow, clock):
    workflow.approve("change", "ada")
    clock.advance(50)
    workflow.approve("change", "grace")
    assert workflow.granted("change")
    clock.advance(20)
    assert not workflow.granted("change")


def test_what_was_never_asked_cannot_be_approved(workflow):
    with pytest.raises(ApprovalError, match="nothing called other"):
        workflow.approve("other", "ada")
