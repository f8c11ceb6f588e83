"""Records and run folders, read by the functions that the commands share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elcrec import paper
from elcrec.bench.growth import MEASURES, Earlier
from elcrec.files.jsonfile import read_json
from elcrec.files.rows import read_rows, rows_of
from elcrec.jobs.batch import read_plan
from elcrec.nightly.check import check
from elcrec.recorded.about import about
from elcrec.recorded.folder import recorded_runs
from elcrec.report.claims.claim import Scope
from elcrec.report.claims.intents import published
from elcrec.report.evidence import Evidence
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.grid import read_grid
from elcrec.runs.reading import history
from elcrec.runs.record import load_run
from elcrec.runs.snapshots import snapshots
from elcrec.tables import grid, released
from elcrec.tables.layout import Names, markdown
from tests.fuzz.folders import Damage, fill
from tests.fuzz.harness import attempt, fuzz
from tests.fuzz.mutations import damaged_csv, damaged_json
from tests.unit.figures.conftest import CENTERS, Made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return fill(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def damage() -> Iterator[Damage]:
    found = Damage()
    yield found
    found.restore()


def run_folder(made: Made, model: str = "elcrec") -> Path:
    return made.config.run_folder("tiny", model, 1)


@fuzz(60)
@given(data=st.data())
def test_metrics(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = run_folder(made) / "metrics.json"
    damage.apply(data, path)
    found = attempt("metrics.json", path, lambda: load_run(path.parent))
    if found is not None:
        assert all(0 <= v <= 1 for split in found.metrics.values() for v in split.values())
        assert 0 <= found.best_epoch <= found.epochs == 6
        assert all(math.isfinite(value) for value in found.seconds.values())


@fuzz(60)
@given(data=st.data())
def test_ranks(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = run_folder(made) / "ranks.npz"
    damage.apply(data, path)
    folder = path.parent
    # The record may be the one that is named: it says of how many users.
    found = attempt("ranks.npz", folder, lambda: load_run(folder))
    if found is not None:
        assert all(ranks.min() >= 0 for ranks in found.ranks.values())


@fuzz(60)
@given(data=st.data())
def test_history(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = run_folder(made) / "history.csv"
    damage.restore()
    record = load_run(path.parent)
    damage.apply(data, path)
    found = attempt("history.csv", path, lambda: history(record))
    if found is not None:
        assert found["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
        assert not np.isinf(found.to_numpy(np.float64)).any()


@fuzz(70)
@given(data=st.data())
def test_intents(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = run_folder(made) / "intents.npz"
    damage.restore()
    record = load_run(path.parent)
    damage.apply(data, path)
    found = attempt("intents.npz", path, lambda: snapshots(record))
    if found is not None:
        assert np.isfinite(found.embeddings).all()
        assert 0 <= found.all_assigned.min() <= found.all_assigned.max() < found.intents == CENTERS
        assert found.embeddings.shape[:2] == found.assigned.shape


def recorded_folder(made: Made) -> Path:
    return made.folder / "record" / "cpu-test" / "runs" / "tiny" / "sasrec" / "1"


@fuzz(40)
@given(data=st.data(), ours=st.booleans())
@pytest.mark.parametrize("name", ["config.yaml", "metrics.json", "ranks.npz"])
def test_a_run_of_the_nightly_check(
    made: Made, damage: Damage, data: st.DataObject, ours: bool, name: str
) -> None:
    path = (run_folder(made, "sasrec") if ours else recorded_folder(made)) / name
    damage.apply(data, path)
    kind = f"{'fresh' if ours else 'recorded'} {name}"
    outcomes = attempt(kind, path.parent, lambda: check(made.config, any_code=True))
    assert outcomes is None or len(outcomes) == 4


@fuzz(40)
@given(data=st.data())
@pytest.mark.parametrize("name", ["environment.json", "metrics.json"])
def test_what_the_readme_of_a_machine_says(
    made: Made, damage: Damage, data: st.DataObject, name: str
) -> None:
    path = recorded_folder(made) / name
    damage.apply(data, path)
    machine = made.folder / "record" / "cpu-test"
    text = attempt(name, path, lambda: about(made.config, recorded_runs(machine)))
    assert text is None or text.encode()


@fuzz(60)
@given(data=st.data())
def test_efficiency(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = made.config.output / "efficiency" / "tiny" / "elcrec.json"
    damage.apply(data, path)
    found = attempt("efficiency JSON", path, lambda: read_json(path, EfficiencyRecord))
    if found is not None:
        for spread in (found.total, *found.phases.values()):
            assert 0 <= spread.least <= spread.median <= spread.most < math.inf


@fuzz(60)
@given(data=st.data())
def test_grid(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = made.config.output / "grid" / "tiny" / "sasrec-1.json"
    damage.apply(data, path)

    def in_use(model: str, dataset: str, point: dict[str, Any]) -> bool:
        return read_grid(made.config, model, dataset).in_use(point)

    found = attempt("grid JSON", path, lambda: grid.frame([path], in_use))
    if found is not None:
        markdown(grid.shown(rows_of(found))).encode()
        assert 0 <= found["score"][0] <= 1


@fuzz(50)
@given(data=st.data())
def test_released_record(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = made.config.output / "released" / "beauty" / "elcrec.json"
    damage.apply(data, path)
    names = Names({"beauty": "Beauty"}, {"elcrec": "ELCRec", "iclrec": "ICLRec"})
    found = attempt(
        "released record", path, lambda: released.frame([path], paper.load_accuracy(), names)
    )
    if found is not None:
        markdown(released.shown(rows_of(found), {})).encode()
        assert found["released_weights"].between(0, 1).all()
    scope = Scope(["beauty"], 1)
    told = attempt("centers in it", path, lambda: published(Evidence(made.config), scope))
    assert told is None or "nan" not in str(told)


@fuzz(50)
@given(data=st.data())
def test_plan(made: Made, damage: Damage, data: st.DataObject) -> None:
    path = made.folder / "plan.yaml"
    damage.apply(data, path)
    found = attempt("plan.yaml", path, lambda: read_plan(path, made.config))
    for planned in found or []:
        assert planned.dataset in made.config.datasets
        assert planned.seed >= 0


@fuzz(50)
@given(data=st.data())
def test_bench_record(made: Made, data: st.DataObject) -> None:
    path = made.folder / "scale.json"
    same = {"model": "elcrec", "device": "cpu", "threads": 1}
    figures = dict.fromkeys((*MEASURES, "wall_seconds"), 1.5)
    points = [{"factor": "users", "size": 10_000, **figures}]
    points += [{"factor": "users", "size": 30_000, "not_run": "no memory"}]
    record = {"kind": "scale", "same": same, "points": points}
    path.write_bytes(data.draw(damaged_json(record)))
    found = attempt("bench JSON", path, lambda: read_json(path, Earlier).known(path, same))
    point = found and found.get(("users", 10_000))
    assert not point or all(point[key] >= 0 for key in figures)


PRINTED = ("table1", "efficiency", "table6", "ablation", "elsewhere", "sensitivity", "table8")


@pytest.mark.parametrize("name", PRINTED)
@fuzz(15)
@given(data=st.data())
def test_paper_file(tmp_path_factory: Any, name: str, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / f"{name}.csv"
    good = (paper.FOLDER / path.name).read_text(encoding="utf-8")
    path.write_bytes(data.draw(damaged_csv(good)))
    readers: dict[str, Any] = {"efficiency": paper.load_efficiency, "table1": paper.load_accuracy}
    found = attempt("paper CSV", path, lambda: readers.get(name, read_rows)(path))
    if name in readers:
        assert all(math.isfinite(value) for value in (found or {}).values())
    elif name == "table6":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(paper, "PRINTED", path)
            attempt("paper CSV", path, paper.printed_sizes)
