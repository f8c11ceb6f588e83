"""`runs.csv`: its columns, its fields, and what is refused."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from elcrec.config.config import FROM_RECORDED
from elcrec.errors import InputError
from elcrec.recorded.columns import COLUMNS, HEADER
from elcrec.recorded.row import from_csv
from tests.recording import add, edit, machine_of, recorded_config, run_folder, runs_csv


def row(config: Path) -> dict[str, str]:
    """A line of the record."""
    assert add(config) == 0
    return next(iter(csv.DictReader(runs_csv(config).open())))


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("seed", "-1", "seed is '-1'; allowed: a whole number from 0"),
        ("seed", "", "seed is ''"),
        ("epochs", "2.5", "epochs is '2.5'"),
        ("test_HR@5", "nan", "test_HR@5 is 'nan'; allowed: a number from 0"),
        ("seconds_total", "-3", "seconds_total"),
        ("graphs", "yes", "graphs is 'yes'; allowed: true or false"),
        ("versions", "[]", "versions is '[]'; allowed: an object in JSON"),
        ("config", "[]", "config is '[]'; allowed: an object in JSON"),
        ("command", "'", "allowed: a command"),
        ("variant", "../../x", "variant is '../../x'"),
        ("variant", "alpha-../..", "variant is"),
        ("commit", "", "commit is ''; allowed: a text"),
    ],
)
def test_a_field_of_another_kind_is_refused(runs, column, text, words):
    values = row(runs) | {column: text}
    with pytest.raises(InputError) as caught:
        from_csv(values, "runs.csv: row x")
    assert str(caught.value).startswith("runs.csv: row x")
    assert words in str(caught.value)


def test_what_a_processor_has_not_is_null_and_what_a_gpu_has_comes_back(runs):
    values = row(runs)
    assert values["peak_cuda_allocated_bytes"] == values["driver"] == ""
    run = from_csv(values, "x")
    assert run.metrics["peak_memory"]["cuda_reserved_bytes"] is None
    assert run.environment["cuda"] is None
    gpu = values | {"peak_cuda_allocated_bytes": "12", "driver": "580.1", "cuda": "13.0"}
    run = from_csv(gpu, "x")
    assert run.metrics["peak_memory"]["cuda_allocated_bytes"] == 12
    assert run.environment["driver"] == "580.1"
    assert {k: str(v) for k, v in run.as_csv().items() if k in ("driver", "cuda")} == {
        "driver": "580.1",
        "cuda": "13.0",
    }


def test_every_column_has_a_name_of_its_own():
    assert len(set(HEADER)) == len(HEADER) == len(COLUMNS) + 3


def test_a_run_that_stands_twice_is_refused(runs):
    assert add(runs) == 0
    path = runs_csv(runs)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n")
    with pytest.raises(InputError, match="stands twice"):
        machine_of(runs).runs()


def test_other_columns_are_refused(runs):
    assert add(runs) == 0
    path = runs_csv(runs)
    path.write_text(path.read_text().replace("best_epoch", "best", 1))
    with pytest.raises(InputError, match="look at best"):
        machine_of(runs).runs()


def test_a_metric_without_a_column_or_a_value_comes_from_the_ranks(runs):
    assert add(runs) == 0
    before = machine_of(runs).runs()
    table = pd.read_csv(runs_csv(runs), dtype=str, keep_default_na=False)
    table.loc[0, "test_HR@5"] = ""
    table.drop(columns=["test_NDCG@20", "valid_HR@5"]).to_csv(runs_csv(runs), index=False)
    assert machine_of(runs).runs() == before
    (runs_csv(runs).parent / "ranks" / "tiny-elcrec-1.npz").write_bytes(b"no ranks")
    with pytest.raises(InputError, match=r"ranks/tiny-elcrec-1.npz: is not a whole"):
        machine_of(runs).runs()


def test_a_finished_run_without_a_metric_is_recorded_with_it(runs):
    path = run_folder(runs) / "metrics.json"
    whole = json.loads(path.read_text())["metrics"]
    edit(path, metrics={**whole, "test": {"HR@5": whole["test"]["HR@5"]}})
    assert add(runs) == 0
    assert machine_of(runs).runs()["tiny", "elcrec", "", 1].metrics["metrics"] == whole


ONE_MORE = """
import sys
from elcrec.evaluation import metrics
metrics.METRICS += ("Half@20",)
metrics.FAMILIES["Half"] = lambda ranks, k: (ranks < k) / 2.0
from elcrec.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_record_from_before_a_metric_has_it_too(runs):
    assert add(runs) == 0
    arguments = ["recorded", "unpack", "--config", str(recorded_config(runs))]
    subprocess.run([sys.executable, "-c", ONE_MORE, *arguments], check=True)
    folder = runs.parent / "results" / FROM_RECORDED / "runs" / "tiny" / "elcrec" / "1"
    ranks = np.load(folder / "ranks.npz")["test"]
    found = json.loads((folder / "metrics.json").read_text())["metrics"]["test"]
    assert found["Half@20"] == pytest.approx((ranks < 20).mean() / 2)
    assert found["HR@5"] == (ranks < 5).mean()
