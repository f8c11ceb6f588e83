"""Order and figures of a measurement; no test looks at how long anything takes."""

from elcrec.bench import measure
from elcrec.bench.measure import Plan, alternate


class FakeSide:
    """Says in which order it was asked."""

    def __init__(self, name, calls, trained=True):
        self.name, self.calls, self.trained = name, calls, trained

    def ask(self, what, **arguments):
        self.calls.append((self.name, what))
        return {
            "start": 1.0,
            "round": {"evaluation": 4.0, "epoch": 24.5} | ({"step": 2.0} if self.trained else {}),
            "epoch": 30.0,
            "memory": {"resident_bytes": 10**6},
        }[what]


def test_sides_take_turns_and_the_start_is_not_counted():
    calls = []
    sides = {name: FakeSide(name, calls) for name in ("peer", "here")}
    found = alternate(sides, Plan(repeats=2, epochs=1))
    assert calls == [
        (name, what)
        for what in ("start", "round", "round", "epoch", "memory")
        for name in ("peer", "here")
    ]
    assert found["here"]["rounds"]["step"] == [2.0, 2.0]
    assert found["here"]["seconds"]["start_training"] == 1.0
    assert found["here"]["seconds"]["epoch"]["median"] == 30.0
    assert found["here"]["epoch_is"] == "measured"


def test_an_epoch_is_computed_when_none_is_measured():
    report = alternate({"here": FakeSide("here", [])}, Plan(repeats=3, epochs=0))["here"]
    assert report["epoch_is"] == "computed"
    assert report["seconds"]["epoch"] == {"median": 24.5, "min": 24.5, "max": 24.5}


def test_a_model_without_steps_has_evaluations_only():
    side = FakeSide("here", [], trained=False)
    report = alternate({"here": side}, Plan(epochs=0))["here"]
    assert report["seconds"]["step"] is None
    assert report["seconds"]["evaluation"]["median"] == 4.0


def test_ratios_are_those_of_rounds():
    assert measure.ratios([2.0, 9.0], [1.0, 3.0]) == {"median": 2.5, "min": 2.0, "max": 3.0}
