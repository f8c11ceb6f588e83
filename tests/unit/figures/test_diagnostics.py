"""Diagnostics of the intents: the identity of the loss, gaps, the authors' weights."""

import json

import numpy as np
import pytest

from elcrec.figures import diagnostics
from tests.fuzz.folders import released


def test_diagnostics_state_the_largest_gap_of_the_identity(made):
    made.run("elcrec", 1)
    assert diagnostics.largest_gap(made.history(6)) == pytest.approx(1e-7)
    assert "epochs and seeds shown is 1.0e-07" in made.draw("diagnostics").caption


def test_columns_that_are_absent_or_empty_are_gaps(made):
    folder = made.run("elcrec", 1)
    history = made.history(6).drop(columns=["center_cosine", "cluster_direct"])
    history["user_cosine"] = np.nan
    history.to_csv(folder / "history.csv", index=False)
    drawn = made.draw("diagnostics")
    assert set(drawn.numbers["quantity"]) == {"intents_in_use"}
    assert "not recorded in these runs" in drawn.caption


@pytest.mark.parametrize("looked_at", [True, False])
def test_what_the_authors_weights_have_is_shown_where_it_was_looked_at(made, looked_at):
    made.run("elcrec", 1)
    path = made.config.output / "released" / "tiny" / "elcrec.json"
    path.parent.mkdir(parents=True)
    seen = {"count": 8, "in_use": 2, "center_cosine": -0.27, "user_cosine": 0.98}
    path.write_text(json.dumps(released() | {"intents": seen if looked_at else None}))
    drawn = made.draw("diagnostics")
    assert ("published weights use 2 of 8 on Tiny" in drawn.caption) == looked_at
    labels = [text.get_text() for text in drawn.figure.legends[0].get_texts()]
    assert labels.count("ELCRec, authors' weights") == looked_at
