"""`elcrec bench --serve`: what is measured, and what the table `use` makes of it."""

import json

import pandas as pd
import pytest

from elcrec.cli.main import main
from elcrec.files.jsonfile import read_json
from elcrec.tables.use import COLUMNS, ServeFile
from tests.recording import train
from tests.workflow.make_tiny import write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    models = ["popularity", "bprmf", "sasrec", "itemknn", "ease"]
    config = write(folder, models=models)
    same = ["--dataset", "tiny", "--config", str(config)]
    for step in ("fetch", "prepare"):
        assert main(["data", step, *same, "--output", str(folder / "data" / "tiny")]) == 0
    train(config, "popularity")
    train(config, "sasrec")
    path = str(folder / "results" / "serve.json")
    assert main(["bench", "--serve", *same, "--repeats", "1", "--json", path]) == 0
    return folder


def test_every_model_is_measured(made):
    found = read_json(made / "results" / "serve.json", ServeFile)
    assert [one.model for one in found.models] == [
        *("popularity", "bprmf", "sasrec", "itemknn", "ease"),
    ]
    for one in found.models:
        assert 0 < one.latency <= one.latency95
        assert one.per_second > 1 / one.latency  # together they take less time than one by one
    sizes = {one.model: one.parameters for one in found.models}
    assert sizes["ease"] == 42 * 42  # item to item
    record = json.loads((made / "results" / "runs/tiny/sasrec/1/metrics.json").read_text())
    assert sizes["sasrec"] == record["parameters"]


def test_it_prints_a_table(made, capsys):
    arguments = ["--dataset", "tiny", "--config", str(made / "tiny.yaml"), "--repeats", "1"]
    capsys.readouterr()
    assert main(["bench", "--serve", *arguments, "--model", "popularity"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("| model      | data set | ms per request |")
    assert "1,024 at once. Weights are random." in printed


def test_the_table_puts_it_beside_accuracy(made):
    config = ["--config", str(made / "tiny.yaml")]
    assert main(["table", "use", *config]) == 0
    rows = pd.read_csv(made / "results" / "tables" / "use.csv").set_index("model")
    assert tuple(rows.reset_index()[list(COLUMNS)].columns) == COLUMNS
    assert rows["latency_ms"].notna().all()
    assert rows["mean"].notna().to_dict() == {
        **{"popularity": True, "sasrec": True},
        **{"bprmf": False, "itemknn": False, "ease": False},
    }
    text = (made / "results" / "tables" / "use.md").read_text()
    assert "- Measured on cpu: " in text
    assert main(["report", *config, "--output", str(made / "page.html")]) == 0
    assert '<table id="use"' in (made / "page.html").read_text()


def test_without_a_measurement_there_are_gaps_and_the_command(made, tmp_path):
    path = made / "results" / "serve.json"
    path.rename(made / "other.json")
    try:
        place = ["--output", str(tmp_path / "tables"), "--config", str(made / "tiny.yaml")]
        assert main(["table", "use", *place]) == 0
    finally:
        (made / "other.json").rename(path)
    assert pd.read_csv(tmp_path / "tables" / "use.csv")["latency_ms"].isna().all()
    text = (tmp_path / "tables" / "use.md").read_text()
    assert "- Not measured yet: `elcrec bench --serve --json " in text
    table = text.partition("## Notes")[0]
    assert "SASRec" in table
    assert "BPR-MF" not in table  # neither run nor measured


def test_a_measurement_that_is_not_whole_is_refused(made, tmp_path, capsys):
    path = made / "results" / "serve.json"
    before = path.read_text()
    values = json.loads(before)
    values["models"][0]["latency"] = "fast"
    path.write_text(json.dumps(values))
    try:
        place = ["--output", str(tmp_path / "tables"), "--config", str(made / "tiny.yaml")]
        assert main(["table", "use", *place]) == 2
    finally:
        path.write_text(before)
    assert "serve.json: models[0]" in capsys.readouterr().err
