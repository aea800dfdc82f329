import pytest

from backend.governance.constitutional_engine import PRINCIPLES, ConstitutionalEngine

SOUND = {"paths": ["backend/boot/boot_kernel.py"], "rollback": "git revert", "reason": "faster"}


def test_a_sound_proposal_breaks_nothing():
    assert ConstitutionalEngine().violations(SOUND) == []


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"rollback": None}, "preserve_layer1"),
        ({"disables_checks": True}, "never_sacrifice_safety"),
        ({"reason": "  "}, "keep_audit_trail"),
    ],
)
def test_each_principle_is_broken_by_what_it_forbids(change, broken):
    assert ConstitutionalEngine().violations({**SOUND, **change}) == [broken]


def test_an_empty_proposal_lacks_a_reason():
    assert ConstitutionalEngine().violations({}) == ["keep_audit_trail"]


def test_every_principle_can_be_explained():
    engine = ConstitutionalEngine()
    assert all(engine.explain(principle.name) for principle in PRINCIPLES)
    with pytest.raises(KeyError):
        engine.explain("be_nice")
