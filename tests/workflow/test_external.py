"""Predictions of another framework in the workflow: an input of the tables like any run."""

import pandas as pd

from tests.workflow.make_tiny import write
from tests.workflow.test_workflow import jobs, snakemake


def test_predictions_are_an_input_of_the_tables(tmp_path):
    path = tmp_path / "theirs.csv"
    ranks = [min(n, 39) for n in range(120)]  # of 40 items
    pd.DataFrame({"user": range(1, 121), "rank": ranks}).to_csv(path, index=False)
    config = write(
        tmp_path,
        models=["popularity"],
        seeds=[1],
        external={"theirs": {"ids": "numbers", "files": {"tiny": [str(path)]}}},
    )
    table = tmp_path / "results" / "tables" / "table1.csv"
    arguments = [str(table), "--configfile", str(config), "--cores", "2", "--quiet", "reason"]
    done = snakemake(*arguments)
    assert done.returncode == 0, done.stderr
    frame = pd.read_csv(table).set_index(["metric", "model"])
    assert frame.loc[("HR@20", "theirs"), "mean"] == 20 / 120
    path.write_text(path.read_text().replace("\n120,39", "\n120,0"))
    assert jobs(snakemake(*arguments, "--dry-run").stdout) == {"accuracy": 1, "total": 1}
    path.unlink()
    refused = snakemake(*arguments)
    assert refused.returncode == 1
    line = f"{config}: external.theirs.files.tiny: {path}: no such file"
    assert refused.stderr.splitlines()[-1] == f"elcrec: {line}"
