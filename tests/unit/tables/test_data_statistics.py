"""The table of data sets beside the paper's Tables 6 and 7."""

import csv
import json
from pathlib import Path

import pytest

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.tables import data_statistics

OURS = {
    "users": 22363,
    "items": 12101,
    "actions": 198502,
    "mean_length": 8.876358,
    "sparsity_percent": 99.926648,
}


def write(folder: Path, files: list[Path]) -> list[Path]:
    """Write the table; returns the paths of the CSV and the Markdown."""
    data_statistics.write(load_config(), folder, files)
    return [folder / "data_statistics.csv", folder / "data_statistics.md"]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "beauty.json"
    path.write_text(json.dumps({"dataset": "beauty", "name": "Beauty", **OURS}))
    return path


def test_table_beside_the_paper(record: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    repeated = {"repeated_targets": {"valid": 1640, "test": 2027}, "origin": "/home/me/own.txt"}
    own.write_text(json.dumps({"dataset": "own", "name": "Own", **OURS, **repeated}))
    table, text = write(tmp_path / "tables", [record, own])
    beauty, other = csv.DictReader(table.read_text().splitlines())
    assert (beauty["users"], beauty["paper_users"]) == ("22363", "22363")
    assert (beauty["sparsity_percent"], beauty["paper_sparsity_percent"]) == ("99.926648", "99.95")
    assert (other["name"], other["paper_users"]) == ("Own", "")
    lines = text.read_text().splitlines()
    cells = [cell.strip() for cell in lines[2].split("|")]
    assert cells[1:8] == ["Beauty", "22,363", "22363", "12,101", "12101", "198,502", "0.2M"]
    assert cells[8] == "8.9"
    assert lines[2].count("|") == lines[1].count("|") == lines[0].count("|")
    assert "–" in lines[3]
    assert (other["repeated_valid"], other["repeated_test"]) == ("1640", "2027")
    assert [cell.strip() for cell in lines[3].split("|")][-3:-1] == ["1,640", "2,027"]
    assert (beauty["repeated_test"], cells[-2]) == ("", "–")  # an older record
    assert any(line.startswith("- Repeated: ") for line in lines)
    assert lines[-2:] == ["- Beauty: unknown.", "- Own: own.txt."]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "cannot be read"),
        ("{", "JSON"),
        ("[]", "object"),
        ('{"dataset": "a"}', "'users' is missing"),
        (
            json.dumps({"dataset": "a", "name": "A", **OURS, "repeated_targets": {"test": 22364}}),
            r"repeated_targets must be 0 to 22363 \(users\)",
        ),
    ],
)
def test_wrong_statistics_file(
    record: Path, tmp_path: Path, content: str | None, word: str
) -> None:
    wrong = tmp_path / "wrong.json"
    if content is not None:
        wrong.write_text(content)
    with pytest.raises(InputError, match=word) as caught:
        write(tmp_path / "tables", [record, wrong])
    assert str(wrong) in str(caught.value)
    assert not (tmp_path / "tables").exists()


def test_ml_1m_as_it_was_read_stands_beside_table_7(tmp_path: Path) -> None:
    size = {"users": 3, "items": 4, "actions": 15, "mean_length": 5.0, "sparsity_percent": -25.0}
    ours = {"dataset": "ml-1m", "name": "ML-1M", "format": "movielens", **size}
    before = {"users": 3, "items": 6, "actions": 18}
    path = tmp_path / "ml-1m.json"
    path.write_text(json.dumps(ours | {"before_core": before}))
    table, text = write(tmp_path / "tables", [path])
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert (row["actions"], row["paper_actions"]) == ("15", "1000209")
    assert (row["mean_length"], row["paper_mean_length"]) == ("5.0", "166")
    assert (row["paper_users"], row["paper_items"], row["paper_sparsity_percent"]) == (
        *("6040", "3706", ""),
    )
    said = text.read_text()
    assert "with 270 actions per item" in said
    assert "3 users, 6 items, 18 actions, 6.0 per user and 3.0 per item" in said
