import pytest

from backend.cognition.loop import IDLE, CognitiveLoop, Decision, Observation
from backend.memory.recall import similar
from backend.memory.store import MemoryStore


def test_the_most_urgent_observation_is_acted_on():
    decision = CognitiveLoop().step(
        [Observation("disk", "full", 0.9), Observation("ui", "slow", 0.5)]
    )
    assert (decision.action, decision.topic) == ("act", "disk")


def test_what_is_not_urgent_is_watched():
    assert CognitiveLoop().step([Observation("ui", "slow", 0.2)]).action == "watch"


def test_without_observations_it_waits():
    assert CognitiveLoop().step([]) == IDLE


def test_topics_on_which_acting_did_not_help_weigh_less():
    loop = CognitiveLoop()
    for _ in range(4):
        loop.learn(Decision("act", "disk", 0.9), worked=False)
    seen = [Observation("disk", "full", 0.9), Observation("ui", "slow", 0.6)]
    assert loop.step(seen).topic == "ui"


def test_urgency_beyond_its_bounds_is_refused():
    with pytest.raises(ValueError):
        Observation("disk", "full", 1.5)


def test_similar_memories_come_back_best_first(clock):
    store = MemoryStore(10, clock=clock)
    store.remember("disk full", "grew the disk of node 3")
    store.remember("disk slow", "moved node 7")
    store.remember("ui", "restarted")
    assert similar(store, Observation("disk", "disk of node 3 is full")) == [
        "disk full",
        "disk slow",
    ]


def test_memories_that_expired_do_not_come_back(clock):
    store = MemoryStore(10, clock=clock)
    store.remember("disk full", "grew it", seconds=10)
    clock.advance(11)
    assert similar(store, Observation("disk", "disk full")) == []
    assert store.recall("disk full") is None
