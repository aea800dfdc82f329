import pytest

from backend.self_heal.playbook_engine import Playbook, PlaybookEngine, Step


def note(name):
    return Step(name, lambda c: c["log"].append(name), lambda c: c["log"].append(f"undo {name}"))


def fail(name):
    def do(context):
        raise RuntimeError("no disk")

    return Step(name, do)


@pytest.fixture
def engine():
    engine = PlaybookEngine()
    engine.register(Playbook("good", "slow", (note("drain"), note("restart"))))
    engine.register(Playbook("bad", "slow", (note("drain"), note("grow"), fail("attach"))))
    return engine


def test_steps_run_in_order(engine):
    context = {"log": []}
    assert engine.run("good", context).succeeded
    assert context["log"] == ["drain", "restart"]


def test_a_failure_undoes_what_was_done_in_reverse(engine):
    context = {"log": []}
    run = engine.run("bad", context)
    assert (run.failed, run.error) == ("attach", "no disk")
    assert context["log"] == ["drain", "grow", "undo grow", "undo drain"]


def test_the_most_successful_playbook_comes_first(engine):
    assert [playbook.name for playbook in engine.candidates("slow")] == ["bad", "good"]
    engine.run("bad", {"log": []})
    engine.run("good", {"log": []})
    assert [playbook.name for playbook in engine.candidates("slow")] == ["good", "bad"]


def test_other_topics_have_no_playbook(engine):
    assert engine.candidates("hot") == []


def test_a_playbook_without_steps_is_refused(engine):
    with pytest.raises(ValueError):
        engine.register(Playbook("empty", "slow", ()))
