"""How figures are printed."""

from elcrec.bench import text


def test_short_numbers():
    assert [text.short(v) for v in (0.00012345, 0.00123, 1.234, 12.34, 1234.5)] == [
        "0.000123",
        "0.00123",
        "1.23",
        "12.3",
        "1,234",
    ]


def test_a_figure_is_a_median_with_least_and_most():
    assert text.figure({"median": 0.352, "min": 0.34, "max": 0.371}) == "0.352 (0.34–0.371)"
    assert text.figure(None) == "–"
