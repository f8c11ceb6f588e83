"""Words around numbers: folded to a line, percent signs apart, nothing left out in silence."""

import jinja2
import pytest

from elcrec.report import words


@pytest.fixture
def texts(tmp_path, monkeypatch):
    lines = [
        "claim:",
        "  ours: >-",
        "    {% if rows %}",
        '    {{ rows | each("{name} {share:.0%}") | listed(2) }}',
        "    {% endif %}",
        "    fell by {{ ratio | less }}",
    ]
    (tmp_path / "texts.yaml").write_text("\n".join(lines))
    monkeypatch.setattr(words, "FOLDER", tmp_path)


def test_a_text_is_one_line_with_its_numbers(texts):
    rows = [{"name": name, "share": share} for name, share in (("a", 0.1), ("b", 0.25), ("c", 1))]
    found = words.rendered("texts", "claim", "ours", {"rows": rows, "ratio": 0.75})
    assert found == "a 10 %, b 25 % and 1 more fell by 25.0 % less"
    found = words.rendered("texts", "claim", "ours", {"rows": [], "ratio": 1.5})
    assert found == "fell by 50.0 % more"


def test_a_number_that_is_not_given_is_no_gap_in_a_sentence(texts):
    with pytest.raises(jinja2.UndefinedError, match="ratio"):
        words.rendered("texts", "claim", "ours", {"rows": []})
