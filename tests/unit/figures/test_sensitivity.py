"""The sensitivity: a point for each value, gaps said."""

import numpy as np

from elcrec.runs.plan import sensitivity_points


def test_sensitivity_shows_the_point_that_is_there(made):
    made.run("elcrec", 1, rank=0)
    point = next(p for p in sensitivity_points(made.config) if p.value == 0.1)
    folder = made.run("elcrec", 1, rank=9, base=made.folder / "elsewhere")
    point.folder.parent.mkdir(parents=True)
    folder.rename(point.folder)
    drawn = made.draw("sensitivity")
    values = drawn.numbers.set_index(["parameter", "value"])["mean"]
    assert values["alpha", 1] == values["intents", 8] == 1.0
    assert values["alpha", 0.1] == 0.0
    assert np.isnan(values["intents", 4])
    assert "Not run: Tiny intents 4." in drawn.caption
