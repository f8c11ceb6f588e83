"""`source.json`, by which `prepare` knows what `fetch` brought."""

import hashlib
import json
from pathlib import Path

import pytest

from elcrec.data.fetch import fetch
from elcrec.data.fetched import read_record, write_record

LINES = b"1 1 2 3 4 5\n2 2 1 6 3\n"
SEQUENCES = {"file": "small.txt", "sha256": hashlib.sha256(LINES).hexdigest()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_record_of_a_fetched_file_survives_a_move(server, sources, out: Path) -> None:
    url = server.serve("/small.txt", LINES)
    found = fetch("small", sources({**SEQUENCES, "urls": [url]}), out)
    write_record(out, "small", found)
    moved = out.rename(out.with_name("moved"))
    again = read_record(moved, "small")
    assert (again.path, again.origin, again.source.format) == (
        moved / "small.txt",
        url,
        "sequences",
    )


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda out: (out / "source.json").unlink(), ["source.json", "is missing"]),
        (lambda out: (out / "source.json").write_text("{"), ["source.json", "JSON"]),
        (lambda out: (out / "source.json").write_text("{}"), ["source.json", "dataset"]),
        (lambda out: (out / "small.txt").unlink(), ["small.txt", "is missing"]),
        (lambda out: (out / "small.txt").write_bytes(LINES[:-1]), ["small.txt", "changed"]),
        (lambda out: (out / "small.txt").write_bytes(LINES[::-1]), ["small.txt", "changed"]),
    ],
)
def test_spoilt_record(server, sources, out: Path, refused, spoil, words: list[str]) -> None:
    found = fetch("small", sources({**SEQUENCES, "urls": [server.serve("/small.txt", LINES)]}), out)
    write_record(out, "small", found)
    spoil(out)
    message = refused(read_record, out, "small")
    assert all(word in message for word in words), message


def test_a_file_of_ones_own_is_recorded_by_its_name(sources, out: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.txt"
    own.write_bytes(LINES)
    places = sources({"path": str(own)})
    path = write_record(out, "small", fetch("small", places, out))
    assert str(tmp_path) not in path.read_text()
    assert read_record(out, "small", places).path == own
    older = {"file": str(own), "origin": str(own)}
    path.write_text(json.dumps(json.loads(path.read_text()) | older))
    again = read_record(out, "small")
    assert (again.path, again.origin) == (own, "mine.txt")


def test_record_of_another_data_set(server, sources, out: Path, refused) -> None:
    url = server.serve("/small.txt", LINES)
    write_record(out, "other", fetch("small", sources({**SEQUENCES, "urls": [url]}), out))
    assert "dataset: must be 'small', got 'other'" in refused(read_record, out, "small")
