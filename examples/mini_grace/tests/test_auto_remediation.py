import pytest

from backend.self_heal.auto_remediation import AutoRemediation
from backend.self_heal.playbook_engine import Playbook, PlaybookEngine, Step
from backend.self_heal.trigger_mesh import Event, TriggerMesh


@pytest.fixture
def mesh():
    return TriggerMesh()


def engine_with(*works):
    engine = PlaybookEngine()
    for index, working in enumerate(works):

        def do(context, working=working):
            if not working:
                raise RuntimeError("did not help")

        engine.register(Playbook(f"p{index}", "slow", (Step("try", do),)))
    return engine


def topics(delivered):
    return [event.topic for event in delivered]


def test_a_trigger_is_answered_with_a_playbook(mesh):
    AutoRemediation(mesh, engine_with(True))
    assert topics(mesh.publish(Event("trigger.slow"))) == ["trigger.slow", "healed"]


def test_the_next_playbook_is_tried_when_one_fails(mesh):
    healer = AutoRemediation(mesh, engine_with(False, True))
    mesh.publish(Event("trigger.slow"))
    assert [(run.playbook, run.succeeded) for run in healer.runs] == [("p0", False), ("p1", True)]


def test_without_a_playbook_it_escalates(mesh):
    AutoRemediation(mesh, PlaybookEngine())
    assert topics(mesh.publish(Event("trigger.hot"))) == ["trigger.hot", "escalate"]


def test_it_stops_trying_until_the_trouble_clears(mesh):
    healer = AutoRemediation(mesh, engine_with(True), max_attempts=2)
    for _ in range(3):
        last = mesh.publish(Event("trigger.slow"))
    assert topics(last) == ["trigger.slow", "escalate"]
    assert len(healer.runs) == 2
    mesh.publish(Event("cleared.slow"))
    assert topics(mesh.publish(Event("trigger.slow"))) == ["trigger.slow", "healed"]
