"""Words around numbers: joined for a sentence, nothing left out in silence."""

import jinja2
import pytest

from elcrec.files.words import listed, rendered


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.yaml"
    path.write_text(
        "claim:\n  ours: >-\n    {{ many | listed(2) }}\n\n    fell by {{ ratio | less }}\n"
    )
    return path


def test_a_text_is_one_line_with_its_numbers(texts):
    found = rendered(texts, "claim", "ours", {"many": ["a", "b", "c"], "ratio": 0.75})
    assert found == "a, b and 1 more fell by 25.0% less"


def test_a_number_that_is_not_given_is_no_gap_in_a_sentence(texts):
    with pytest.raises(jinja2.UndefinedError, match="ratio"):
        rendered(texts, "claim", "ours", {"many": []})


@pytest.mark.parametrize(
    ("items", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")],
)
def test_items_are_joined_for_a_sentence(items, text):
    assert listed(items) == text
