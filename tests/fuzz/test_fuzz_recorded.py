"""Recorded runs, damaged in every file: what is read is a whole run, or there is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from elcrec.config.config import Config, load_config
from elcrec.evaluation.metrics import summarise
from elcrec.runs.reading import Runs
from elcrec.runs.record import FILES
from tests.fuzz.folders import Damage, fill
from tests.fuzz.harness import attempt, fuzz


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The configuration that takes a record of two runs."""
    made = fill(tmp_path_factory.mktemp("recorded"))
    own = made.path.with_name("recorded.yaml")
    own.write_text(yaml.safe_dump(yaml.safe_load(made.path.read_text()) | {"runs": "recorded"}))
    return load_config([own])


def read(config: Config) -> list[int]:
    """Seeds of the runs that are read, each of which is whole."""
    found = Runs(config, "leave out").find(["tiny"], ["sasrec"])["tiny", "sasrec"]
    for run in found:
        assert run.folder.is_relative_to(config.recorded / "cpu-test")
        assert run.metrics["test"] == pytest.approx(summarise(run.ranks["test"]))
    return [run.seed for run in found]


@fuzz(60)
@given(data=st.data())
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_record(config: Config, name: str, data: st.DataObject) -> None:
    path = config.recorded / "cpu-test" / "runs" / "tiny" / "sasrec" / "1" / name
    damage = Damage()
    damage.apply(data, path)
    try:
        attempt(f"recorded {path.suffix}", path.parent, lambda: read(config))
    finally:
        damage.restore()


def test_the_record_is_whole_before_it_is_damaged(config: Config) -> None:
    found = Runs(config, "take").find(["tiny"], ["sasrec"])["tiny", "sasrec"]
    assert [(run.seed, run.epochs) for run in found] == [(1, 6), (2, 6)]


def test_a_configuration_of_recorded_runs_writes_beside_the_trained_ones(config: Config) -> None:
    content = yaml.safe_load(Path(config.layers.parts[-1][0]).read_text())
    assert config.output == Path(content["output"]) / "from-recorded"
