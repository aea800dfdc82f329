import pytest

from backend.self_heal.trigger_mesh import TriggerMesh
from backend.self_heal.trigger_system import Trigger, TriggerSystem

LATENCY = Trigger("slow", metric="latency_ms", above=500, clear_below=300)


@pytest.fixture
def topics():
    return []


@pytest.fixture
def system(topics):
    mesh = TriggerMesh()
    mesh.subscribe("*", lambda event: topics.append(event.topic))
    return TriggerSystem(mesh, [LATENCY])


def test_a_trigger_fires_once_each_time_the_limit_is_crossed(system, topics):
    assert system.measure("latency_ms", 600) == ["slow"]
    assert system.measure("latency_ms", 700) == []
    assert topics == ["trigger.slow"]


def test_it_rearms_only_below_the_lower_limit(system, topics):
    system.measure("latency_ms", 600)
    system.measure("latency_ms", 400)
    assert system.active() == ["slow"]
    system.measure("latency_ms", 200)
    assert system.active() == []
    assert system.measure("latency_ms", 501) == ["slow"]
    assert topics == ["trigger.slow", "cleared.slow", "trigger.slow"]


def test_the_limit_itself_does_not_fire(system):
    assert system.measure("latency_ms", 500) == []


def test_other_metrics_do_not_matter(system):
    assert system.measure("errors", 10_000) == []


def test_a_trigger_that_clears_above_its_limit_is_refused():
    with pytest.raises(ValueError, match="would clear above"):
        Trigger("odd", metric="m", above=1, clear_below=2)
