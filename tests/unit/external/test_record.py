"""Which runs of an output folder predictions are compared with."""

import shutil
from types import SimpleNamespace

import pytest

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.external.record import read_rivals

THEIRS = SimpleNamespace(dataset="toys", data="histories of toys")


def test_folders_that_are_no_seeds_are_passed_over(output):
    output.run("toys", "elcrec", 1)
    run = output.run("toys", "elcrec", 12)
    for name in ("1-old", "01", "-2", "3.5", "backup", "\u0663", ".1"):
        shutil.copytree(run, run.with_name(name))
    rivals = read_rivals(load_config(), THEIRS, folder=output.path)
    assert [run.folder.name for run in rivals.runs] == ["1", "12"]


def test_without_a_seed_there_is_no_run(output):
    run = output.run("toys", "elcrec", 1)
    run.rename(run.with_name("1-old"))
    with pytest.raises(InputError, match=r"--runs .*: has no finished run .*MODEL/SEED"):
        read_rivals(load_config(), THEIRS, folder=output.path)
