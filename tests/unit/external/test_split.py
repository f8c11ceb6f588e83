"""The exported split: who gets what, in which form."""

import errno
import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from elcrec.data.sequences import Sequences
from elcrec.errors import InputError, WriteError
from elcrec.external.predictions import rank_targets
from elcrec.external.split import export, split
from elcrec.files.atomic import protecting

SEQUENCES = Sequences(
    np.array([1, 2, 3, 1, 4, 2, 2, 4, 5]),
    np.array([0, 5, 9]),
    users=("anna", "b"),
    item_ids=("x", "y", "#z", "4", '"5"'),
)


def test_the_last_item_is_for_the_test_and_the_one_before_for_validation():
    parts = {name: frame.values.tolist() for name, frame in split(SEQUENCES).items()}
    assert parts["train"] == [
        *(["anna", "x", 1], ["anna", "y", 2], ["anna", "#z", 3]),
        *(["b", "y", 1], ["b", "y", 2]),
    ]
    assert parts["valid"] == [["anna", "x", 4], ["b", "4", 3]]
    assert parts["test"] == [["anna", "4", 5], ["b", '"5"', 4]]
    everything = sorted(parts["train"] + parts["valid"] + parts["test"])
    assert sorted(parts["all"]) == everything


def test_files(tmp_path):
    paths = export("mine", SEQUENCES, tmp_path, ["recbole", "csv", "text"])
    assert sorted(paths) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert (tmp_path / "mine" / "mine.test.inter").read_text() == (
        'user_id:token\titem_id:token\ttimestamp:float\nanna\t4\t5\nb\t"""5"""\t4\n'
    )
    for part in ("", ".train", ".valid"):
        assert (tmp_path / "mine" / f"mine{part}.inter").read_text().startswith("user_id:token\t")
    assert (tmp_path / "valid.csv").read_text() == "user,item,position\nanna,x,4\nb,4,3\n"
    assert (tmp_path / "train.txt").read_text() == "anna x y #z\nb y y\n"
    assert (tmp_path / "all.txt").read_text() == 'anna x y #z x 4\nb y y 4 "5"\n'


def test_some_formats(tmp_path):
    export("mine", SEQUENCES, tmp_path, ["text"])
    assert {path.suffix for path in tmp_path.rglob("*")} == {".txt"}
    with pytest.raises(InputError, match=r"--format: unknown format 'cvs' .*'csv'"):
        export("mine", SEQUENCES, tmp_path, ["cvs"])


def test_ids_with_blanks_have_no_place_in_text(tmp_path):
    spaced = Sequences(SEQUENCES.items, SEQUENCES.offsets, ("a b", "c"), SEQUENCES.item_ids)
    with pytest.raises(InputError, match="user 'a b': has whitespace"):
        export("mine", spaced, tmp_path, ["csv", "text"])
    assert not list(tmp_path.iterdir())
    export("mine", spaced, tmp_path, ["csv", "recbole"])


@pytest.mark.parametrize("file", range(1, 13))
def test_a_full_disk_leaves_the_files_that_were_there_and_no_others(tmp_path, monkeypatch, file):
    (tmp_path / "all.csv").write_text("mine")
    written, write_text = itertools.count(1), Path.write_text

    def full(path, *arguments, **options):
        if next(written) == file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WriteError, match="cannot be written: No space left on device"):
        export("mine", SEQUENCES, tmp_path, ["recbole", "csv", "text"])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "all.csv"]
    assert (tmp_path / "all.csv").read_text() == "mine"


def test_one_file_that_must_stay_stops_all(tmp_path):
    (tmp_path / "valid.txt").write_text("mine")
    with protecting(tmp_path), pytest.raises(WriteError, match="txt: already exists"):
        export("mine", SEQUENCES, tmp_path, ["recbole", "csv", "text"])
    assert list(tmp_path.iterdir()) == [tmp_path / "valid.txt"]


def test_ids_that_begin_with_a_blank_are_found_by_compare(tmp_path):
    ids = {"users": (" b", "b"), "item_ids": ("x", " x", "x ", " x ", "y")}
    spaced = Sequences(SEQUENCES.items, SEQUENCES.offsets, **ids)
    export("mine", spaced, tmp_path, ["csv"])
    lists = pd.read_csv(tmp_path / "test.csv").assign(rank=1).drop(columns="position")
    assert lists["item"].tolist() == [" x ", "y"]
    lists.to_csv(tmp_path / "p.csv", index=False)
    found = rank_targets(tmp_path / "p.csv", spaced, "repeats")
    assert found.ranks.tolist() == [0, 0]
