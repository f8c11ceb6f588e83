from pathlib import Path

import pytest

from elcrec.files.rows import Row
from elcrec.tables import detectable
from elcrec.tables.layout import Names
from tests.unit.tables.accuracy_table import accuracy


def test_without_a_rival_nothing_is_detectable():
    paper = {("Beauty", "HR@5", "ICLRec"): 0.04, ("Beauty", "HR@5", "ELCRec"): 0.05}
    assert detectable.frame(accuracy(0.05, 3, paper=paper), 3).empty


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [
        ("9.0", "9.0", "9"),
        ("9.0", "91.0", "9 to 91"),
        ("9.0", "inf", "9 or more"),
        ("inf", "inf", "none suffices"),
        ("", "", "–"),
    ],
)
def test_seeds_in_words(least, most, text):
    values = dict.fromkeys(detectable.COLUMNS, "") | {"dataset": "beauty", "metric": "HR@5"}
    row = Row(Path(), values | {"seeds_needed_least": least, "seeds_needed": most})
    table = detectable.shown([row], Names({}, {}))
    (cell,) = (table.rows[0][n] for n, title in enumerate(table.header) if "needs" in title)
    assert cell.text == text
