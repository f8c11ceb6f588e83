"""The figure of growth."""

from elcrec.bench import plot


def test_short_numbers():
    assert [plot.short(v) for v in (0.05, 25, 1024, 3e4, 1e7)] == [
        "0.05",
        "25",
        "1024",
        "30k",
        "10M",
    ]
