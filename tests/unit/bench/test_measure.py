"""Order and figures of a measurement; no test looks at how long anything takes."""

from elcrec.bench import measure
from elcrec.bench.measure import Plan, alternate


class FakeSide:
    """Counts steps, and says in which order it was asked."""

    def __init__(self, name, calls, trained=True):
        self.name, self.calls, self.trained = name, calls, trained

    def ask(self, what, **arguments):
        self.calls.append((self.name, what))
        return {
            "start": {"start_training": 1.0, "start_epoch": 0.5, "steps_per_epoch": 10},
            "steps": {"count": 3, "seconds_per_step": 2.0 if self.trained else None},
            "evaluate": 4.0,
            "epoch": 24.5,
            "memory": {"resident_bytes": 10**6},
        }[what]


def test_sides_take_turns_and_warm_up_is_not_counted():
    calls = []
    sides = {name: FakeSide(name, calls) for name in ("peer", "here")}
    found = alternate(sides, Plan(repeats=2, epochs=1))
    p, h = "peer", "here"
    warm_up = [(s, w) for s in (p, h) for w in ("steps", "steps", "evaluate")]  # 2 x 3 >= 5 steps
    one_round = [(p, "steps"), (h, "steps"), (p, "evaluate"), (h, "evaluate")]
    assert calls == [
        *[(p, "start"), (h, "start")],
        *warm_up,
        *one_round,
        *one_round,
        *[(p, "epoch"), (h, "epoch"), (p, "memory"), (h, "memory")],
    ]
    assert found["here"]["rounds"]["step"] == [2.0, 2.0]
    assert found["here"]["epoch_is"] == "measured"


def test_an_epoch_is_computed_when_none_is_measured():
    report = alternate({"here": FakeSide("here", [])}, Plan(repeats=3, epochs=0))["here"]
    assert report["epoch_is"] == "computed"
    assert report["seconds"]["epoch"] == {"median": 24.5, "min": 24.5, "max": 24.5}


def test_a_model_without_steps_has_evaluations_only():
    side = FakeSide("here", [], trained=False)
    report = alternate({"here": side}, Plan(epochs=0))["here"]
    assert report["seconds"]["step"] is None
    assert report["seconds"]["epoch"]["median"] == 4.5


def test_ratios_are_those_of_rounds():
    assert measure.ratios([2.0, 9.0], [1.0, 3.0]) == {"median": 2.5, "min": 2.0, "max": 3.0}
