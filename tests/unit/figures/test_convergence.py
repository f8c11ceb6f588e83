"""Curves over epochs, as far as all seeds were trained."""

import pandas as pd
import pytest

from elcrec.figures import convergence


def test_a_curve_is_the_mean_of_the_seeds_as_far_as_all_reach():
    histories = [
        pd.DataFrame({"epoch": [1, 2, 3], "a": [1.0, 2.0, 3.0]}),
        pd.DataFrame({"epoch": [1, 2], "a": [3.0, 6.0]}),
    ]
    curve = convergence.curve(histories, "a")
    assert curve["epoch"].tolist() == [1, 2]
    assert curve["mean"].tolist() == [2.0, 4.0]
    assert curve["std"].tolist() == pytest.approx([2**0.5, 8**0.5])
    assert convergence.curve(histories, "absent") is None
