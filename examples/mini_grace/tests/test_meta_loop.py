from backend.cognition.loop import CognitiveLoop, Decision
from backend.cognition.meta_loop import MetaLoop


def taught(*results, act_above=0.4):
    loop = CognitiveLoop(act_above=act_above)
    for worked in results:
        loop.learn(Decision("act", "disk", 0.9), worked)
    return loop


def test_failures_make_it_more_careful():
    loop = taught(False, False, False, True)
    assert MetaLoop(loop).review() == "more careful"
    assert loop.act_above == 0.45


def test_successes_make_it_bolder():
    loop = taught(True, True, True, True)
    assert MetaLoop(loop).review() == "bolder"
    assert loop.act_above == 0.35


def test_mixed_results_change_nothing():
    assert MetaLoop(taught(True, False, True, True)).review() == "kept"


def test_it_needs_enough_to_learn_from():
    assert MetaLoop(taught(False, False)).review() == "too little to learn from"


def test_the_bounds_hold():
    assert MetaLoop(taught(*[False] * 4, act_above=0.8)).review() == "kept"
    assert MetaLoop(taught(*[True] * 4, act_above=0.2)).review() == "kept"
