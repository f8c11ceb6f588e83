"""Work that is done at once or a step at a time."""

import inspect

import pytest

from elcrec.training.turns import Stepwise, Turns


@Stepwise
def counted(log: list[int], turns: int = 2) -> Turns[str]:
    """Counts its turns."""
    for turn in range(turns):
        log.append(turn)
        yield
    if not turns:
        raise ValueError("nothing to count")
    return "done"


def test_a_call_does_all_of_it():
    log = []
    assert counted(log, turns=3) == "done"
    assert log == [0, 1, 2]


def test_in_turns_does_a_step_at_a_time_and_nothing_before_the_first():
    log = []
    turns = counted.in_turns(log)
    assert log == []
    next(turns)
    assert log == [0]
    next(turns)
    with pytest.raises(StopIteration) as end:
        next(turns)
    assert end.value.value == "done"


def test_an_error_is_that_of_the_work():
    with pytest.raises(ValueError, match="nothing to count"):
        counted([], turns=0)


def test_it_looks_like_the_function_that_it_was_made_of():
    assert counted.__doc__ == "Counts its turns."
    assert counted.__name__ == "counted"
    assert list(inspect.signature(counted).parameters) == ["log", "turns"]
