import pytest

from backend.governance.policy_enforcement import Policy, PolicyEnforcer, PolicyViolation

ENFORCER = PolicyEnforcer(
    [
        Policy("all edits", "edit.*", min_trust=0.3),
        Policy("edits of rules", "edit.rules", min_trust=0.9),
        Policy("no secrets", "*.secrets", forbidden=True),
    ]
)


def test_every_policy_that_covers_an_action_is_named():
    assert ENFORCER.enforce("edit.rules", trust=0.95) == ["all edits", "edits of rules"]


def test_the_strictest_policy_decides():
    with pytest.raises(PolicyViolation, match="edits of rules wants trust of 0.90"):
        ENFORCER.enforce("edit.rules", trust=0.5)


def test_trust_at_the_limit_is_enough():
    assert ENFORCER.enforce("edit.code", trust=0.3) == ["all edits"]


def test_what_is_forbidden_stays_so_at_any_trust():
    with pytest.raises(PolicyViolation, match="no secrets forbids"):
        ENFORCER.enforce("edit.secrets", trust=1.0)


def test_what_no_policy_covers_is_refused():
    with pytest.raises(PolicyViolation, match="no policy covers"):
        ENFORCER.enforce("launch", trust=1.0)
