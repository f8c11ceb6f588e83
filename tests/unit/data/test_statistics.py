"""Statistics and the table beside the paper's Table 6."""

import csv
import json
from pathlib import Path

import pytest

from elcrec.data.sequences import parse_sequences
from elcrec.data.statistics import statistics
from elcrec.tables.data_statistics import write_tables

OURS = {
    "users": 22363,
    "items": 12101,
    "actions": 198502,
    "mean_length": 8.876358,
    "sparsity_percent": 99.926648,
}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "beauty.json"
    path.write_text(json.dumps({"dataset": "beauty", "name": "Beauty", **OURS}))
    return path


def test_numbers_by_hand() -> None:
    found = statistics(parse_sequences(b"a 1 2 3 9\nb 1 2 3 1 2 3\n", "x"))
    assert (found.users, found.items, found.actions, found.mean_length) == (2, 4, 10, 5.0)
    assert found.sparsity_percent == pytest.approx(100 * (1 - 10 / 8))


def test_table_beside_the_paper(record: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"dataset": "own", "name": "Own", **OURS}))
    table, text = write_tables(tmp_path / "tables", [record, own])
    beauty, other = csv.DictReader(table.read_text().splitlines())
    assert (beauty["users"], beauty["paper_users"]) == ("22363", "22363")
    assert (beauty["sparsity_percent"], beauty["paper_sparsity_percent"]) == ("99.926648", "99.95")
    assert (other["name"], other["paper_users"]) == ("Own", "")
    lines = text.read_text().splitlines()
    assert lines[2].startswith("| Beauty | 22,363 | 22363 | 12,101 | 12101 | 198,502 | 0.2M | 8.9 ")
    assert lines[2].count("|") == lines[1].count("|") == lines[0].count("|")
    assert "–" in lines[3]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "cannot be read"),
        ("{", "JSON"),
        ("[]", "object"),
        ('{"dataset": "a"}', "'users' is missing"),
    ],
)
def test_wrong_statistics_file(
    record: Path, tmp_path: Path, refused, content: str | None, word: str
) -> None:
    wrong = tmp_path / "wrong.json"
    if content is not None:
        wrong.write_text(content)
    message = refused(write_tables, tmp_path / "tables", [record, wrong])
    assert str(wrong) in message
    assert word in message
    assert not (tmp_path / "tables").exists()
