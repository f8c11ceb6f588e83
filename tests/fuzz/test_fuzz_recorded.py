"""Recorded runs, damaged in every file: what is unpacked is a whole run, or there is one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from elcrec.config.config import Config, load_config
from elcrec.evaluation.metrics import summarise
from elcrec.recorded.columns import COLUMNS
from elcrec.recorded.machine import Machine, write_ranks
from elcrec.recorded.row import RecordedRun, from_csv
from elcrec.recorded.unpack import unpack
from elcrec.runs.record import load_run
from tests.fuzz.folders import Damage
from tests.fuzz.harness import attempt, fuzz
from tests.workflow.make_tiny import write

RANKS = {"valid": np.array([0, 3, 700]), "test": np.array([1, 9, 40])}
SAMPLES = {"text": "x", "integer": "3", "number": "0.5", "flag": "false"}
SAMPLES |= {"object": "{}", "list": "[]"}


def line(model: str, seed: int) -> RecordedRun:
    """A run of made-up values, in tests only, whose metrics are those of `RANKS`."""
    values = {column.name: SAMPLES[column.kind] for column in COLUMNS}
    values |= {"dataset": "tiny", "model": model, "seed": str(seed), "variant": ""}
    values |= {"kernels": "plain", "commit": "a" * 40, "command": "elcrec train", "config": "{}"}
    for split, ranks in RANKS.items():
        values |= {f"{split}_{name}": repr(v) for name, v in summarise(ranks).items()}
    return from_csv(values, "made up")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A record of two runs, and the configuration that takes it."""
    folder = tmp_path_factory.mktemp("recorded")
    own = write(folder, runs="recorded", recorded=str(folder / "recorded"), seeds=[1])
    made = load_config([own])
    machine = Machine(made.recorded, "cpu-test")
    runs = [line("sasrec", 1), line("elcrec", 1)]
    for run in runs:
        write_ranks(machine.part("ranks", run), RANKS)
        history = machine.part("history", run)
        history.parent.mkdir(exist_ok=True)
        history.write_text("epoch,loss_total\n1,3.5\n2,2.5\n3,2.25\n")
    machine.write_runs(runs)
    return made


@fuzz(60)
@given(data=st.data())
@pytest.mark.parametrize(
    "name", ["runs.csv", "ranks/tiny-elcrec-1.npz", "history/tiny-elcrec-1.csv"]
)
def test_a_damaged_record(config: Config, name: str, data: st.DataObject) -> None:
    path = config.recorded / "cpu-test" / name
    damage = Damage()
    damage.apply(data, path)
    try:
        shutil.rmtree(config.output, ignore_errors=True)
        found = attempt(f"recorded {path.suffix}", path, lambda: unpack(config))
        for one in found or []:
            folder = one.run.folder(config)
            assert folder.resolve().is_relative_to(config.output.resolve())
            run = attempt(f"unpacked {path.suffix}", folder, lambda folder=folder: load_run(folder))
            if run is not None:
                assert run.metrics["test"] == pytest.approx(summarise(run.ranks["test"]))
    finally:
        damage.restore()


def test_the_record_is_whole_before_it_is_damaged(config: Config) -> None:
    assert [load_run(one.run.folder(config)).epochs for one in unpack(config)] == [3, 3]


def test_a_configuration_of_recorded_runs_writes_beside_the_trained_ones(config: Config) -> None:
    content = yaml.safe_load(Path(config.layers.parts[-1][0]).read_text())
    assert config.output == Path(content["output"]) / "from-recorded"
