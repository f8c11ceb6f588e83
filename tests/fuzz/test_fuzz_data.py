"""Files of the data pipeline: prepared sequences, raw formats, records beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elcrec.config.config import load_config
from elcrec.data.fetched import Fetched, read_record, write_record
from elcrec.data.formats import read_interactions
from elcrec.data.prepare import prepare
from elcrec.data.sequences import (
    MIN_ITEMS,
    Sequences,
    format_sequences,
    parse_sequences,
    read_sequences,
)
from elcrec.data.sources import Dataset, DataSource
from elcrec.data.statistics import load_statistics
from elcrec.external.predictions import MISSED, rank_targets
from elcrec.tables.data_statistics import write
from tests.fuzz.harness import attempt, command, content, fuzz
from tests.fuzz.mutations import damaged_bytes, damaged_json, damaged_lines, packed

USERS, ITEMS = 6, 7
PAIRS = [(user, item) for user in range(1, USERS + 1) for item in range(1, ITEMS + 1)]


def text(line: str, header: str = "") -> bytes:
    """One line for each of 42 interactions, of which 5-core leaves all."""
    lines = (line.format(u=u, i=i, t=1_000_000_000 + 7 * u + i) for u, i in PAIRS)
    return (header + "".join(lines)).encode()


SEQUENCES = b"".join(b"%d 1 2 3 4 5 %d\n" % (user, user) for user in range(1, 8))
RAW = {
    "amazon-reviews": text(
        '{{"reviewerID": "A{u}", "asin": "B{i}", "overall": 5.0, "unixReviewTime": {t}}}\n'
    ),
    "yelp-reviews": text(
        '{{"user_id": "u{u}", "business_id": "b{i}", "date": "2019-0{u}-0{i} 00:00:00"}}\n'
    ),
    "movielens": text("{u}\t{i}\t5\t{t}\n"),
    "movielens ::": text("{u}::{i}::5::{t}\n"),
    "recbole-inter": text(
        "{u}\t{i}\t5\t{t}\n", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    ),
    "sasrec-text": text("{u} {i}\n"),
    "mind-behaviors": b"".join(
        b"%d\tU%d\t11/13/2019 8:36:%02d AM\tN1 N2 N3\tN4-1 N5-1 N6-0\n" % (n, n, n)
        for n in range(1, 8)
    ),
}
SEPARATORS = {"movielens": b"\t", "movielens ::": b"::", "sasrec-text": b" "}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@fuzz(160)
@given(content=damaged_lines(SEQUENCES, b" ") | packed(SEQUENCES, "sequences.txt"))
def test_sequences(folder: Path, content: bytes) -> None:
    path = folder / "sequences.txt"
    path.write_bytes(content)
    found = attempt("sequences.txt", path, lambda: read_sequences(path))
    if found is not None:
        assert found.items.min() >= 1
        assert found.lengths.min() >= MIN_ITEMS
        assert len(set(found.users)) == found.n_users == len(found.lengths)
        again = parse_sequences(format_sequences(found), path)
        assert np.array_equal(again.items, found.items)
        assert again.users == tuple(str(n + 1) for n in range(found.n_users))


@pytest.mark.parametrize("format", RAW)
@fuzz(50)
@given(data=st.data())
def test_raw_file(folder: Path, format: str, data: st.DataObject) -> None:
    separator = SEPARATORS.get(format, b"\t")
    damaged = damaged_lines(RAW[format], separator) | packed(RAW[format], "m/raw.data")
    path = folder / "raw.data"
    path.write_bytes(data.draw(damaged))
    kind = format.partition(" ")[0]
    found = attempt(kind, path, lambda: read_interactions(path, kind, "m/raw.data"))
    if found is not None:
        assert len(found)
        assert list(found.columns) == ["user", "item", "time", "rating"]
        assert found["user"].str.len().min() > 0
        assert found["item"].str.len().min() > 0
        assert np.isfinite(found["time"].to_numpy()).all()


PREDICTIONS = {
    "predictions.csv": text("{u},{i},0.{i}\n", "user,item,score\n"),
    "predictions.tsv": text("{u}\t{i}\t{i}\n", "user_id:token\titem_id:token\trank:float\n"),
    "predictions.run": text("{u} Q0 {i} {i} -{i}.5 mine\n"),
    "ranks.csv": b"user,rank\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(1, 7)),
}


@pytest.mark.parametrize("name", PREDICTIONS)
@fuzz(60)
@given(data=st.data())
def test_predictions(folder: Path, name: str, data: st.DataObject) -> None:
    good, path = PREDICTIONS[name], folder / name
    path.write_bytes(data.draw(damaged_lines(good, b",") | packed(good, name)))
    numbers = [str(n) for n in range(1, ITEMS + 1)]
    histories = np.tile([1, 2, 3, 4], USERS), np.arange(USERS + 1) * 4
    sequences = Sequences(*histories, tuple(numbers[:USERS]), numbers)
    found = attempt(name, path, lambda: rank_targets(path, sequences, "strict", missing=True))
    if found is not None:
        assert len(found.ranks) == USERS
        assert found.ranks.min() >= 0
        assert (found.ranks[found.ranks < MISSED] < max(ITEMS, found.known_to)).all()


@fuzz(30)
@given(data=st.data())
def test_prepare(folder: Path, data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["sequences", *RAW]))
    good = RAW.get(format, SEQUENCES)
    path, output = folder / "to-prepare", folder / "prepared"
    path.write_bytes(data.draw(damaged_bytes(good)))
    source = DataSource(format=format.partition(" ")[0], path=path)
    dataset = Dataset(name="Small", sources=[source])
    before = content(output)
    made = attempt(
        "data prepare",
        path,
        lambda: prepare("small", dataset, Fetched(path, source, "test"), output),
    )
    if made is None:
        assert content(output) == before
    else:
        assert read_sequences(made).n_users == load_statistics(output / "statistics.json")["users"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose data folder holds source.json, sequences.txt, statistics.json."""
    base = tmp_path_factory.mktemp("prepared")
    config = base / "config.yaml"
    entry = {"name": "Small", "path": str(base / "own.txt")}
    config.write_text(
        json.dumps({"data": str(base), "use": ["small"], "datasets": {"small": entry}})
    )
    (base / "own.txt").write_bytes(SEQUENCES)
    source = DataSource(format="sequences", path=base / "own.txt")
    dataset = Dataset(name="Small", sources=[source])
    fetched = Fetched(base / "own.txt", source, "test")
    write_record(base, "small", fetched)
    prepare("small", dataset, fetched, base)
    return base


@fuzz(60)
@given(data=st.data())
def test_source_record(prepared: Path, folder: Path, data: st.DataObject) -> None:
    path = folder / "source.json"
    path.write_bytes(data.draw(damaged_json(json.loads((prepared / "source.json").read_bytes()))))
    (folder / "own.txt").write_bytes(SEQUENCES)
    found = attempt("source.json", path, lambda: read_record(folder, "small"))
    if found is not None:
        assert found.path.read_bytes() == SEQUENCES


@fuzz(60)
@given(data=st.data())
def test_statistics(prepared: Path, folder: Path, data: st.DataObject) -> None:
    path, output = folder / "statistics.json", folder / "tables"
    good = json.loads((prepared / "statistics.json").read_bytes())
    path.write_bytes(data.draw(damaged_json(good)))
    before = content(output)
    config = load_config([prepared / "config.yaml"])
    made = attempt("statistics.json", path, lambda: [write(config, output, [path])])
    if made is None:
        assert content(output) == before


@fuzz(15)
@given(data=st.data())
def test_commands(prepared: Path, folder: Path, data: st.DataObject) -> None:
    output = folder / "commands"
    output.mkdir(exist_ok=True)
    what = data.draw(st.sampled_from(["fetch", "table"]))
    config = ["--config", str(prepared / "config.yaml")]
    if what == "fetch":
        path = prepared / "own.txt"
        path.write_bytes(data.draw(damaged_bytes(SEQUENCES)))
        arguments = ["data", "fetch", "--dataset", "small", *config]
    else:
        path = folder / "of-command.json"
        good = json.loads((prepared / "statistics.json").read_bytes())
        path.write_bytes(data.draw(damaged_json(good)))
        arguments = ["table", "data-statistics", str(path), *config]
    arguments += ["--output", str(output), "--force"]
    command(f"elcrec {arguments[0]} {arguments[1]}", path, arguments, output)
