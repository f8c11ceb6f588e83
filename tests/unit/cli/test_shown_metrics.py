"""`metrics` of the configuration: what finished runs show, while nothing is trained again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from elcrec.cli.main import main
from tests.recording import files_of, train
from tests.workflow.make_tiny import write

SHOWN = ["MRR@20", "HR@1", "NDCG@7"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs, and everything that is shown of them, by a configuration that asks for `SHOWN`."""
    folder = tmp_path_factory.mktemp("shown")
    config = write(folder, models=["popularity", "elcrec"], parameters={"elcrec": {"intents": 8}})
    for step in ("fetch", "prepare"):
        same = ["--dataset", "tiny", "--config", str(config)]
        assert main(["data", step, *same, "--output", str(folder / "data" / "tiny")]) == 0
    for model in ("popularity", "elcrec"):
        for seed in ("1", "2"):
            train(config, model, "--seed", seed)
    before = files_of(folder / "results" / "runs")
    write(folder, models=["popularity", "elcrec"], metrics=SHOWN)
    for what in ("accuracy", "activity", "verdict"):
        assert main(["table", what, "--config", str(config)]) == 0
    for figure in ("activity", "sensitivity"):
        assert main(["figure", figure, "--config", str(config)]) == 0
    assert main(["report", "--config", str(config)]) == 0
    assert files_of(folder / "results" / "runs") == before
    return folder


def table(made: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(made / "results" / name)


def test_table_1_and_significance_have_them_in_their_order(made):
    found = table(made, "tables/table1.csv")
    assert list(found["metric"].unique()) == SHOWN
    assert set(table(made, "tables/significance.csv")["metric"]) == set(SHOWN)
    ranks = np.load(made / "results" / "runs" / "tiny" / "elcrec" / "1" / "ranks.npz")["test"]
    other = np.load(made / "results" / "runs" / "tiny" / "elcrec" / "2" / "ranks.npz")["test"]
    means = [np.where(r < 20, 1 / (r + 1.0), 0).mean() for r in (ranks, other)]
    own = found[(found["metric"] == "MRR@20") & (found["model"] == "elcrec")]
    assert own["mean"].item() == pytest.approx(np.mean(means), abs=1e-12)
    assert own["paper"].isna().all()
    text = (made / "results" / "tables" / "table1.md").read_text()
    assert all(f"| {metric} " in text for metric in SHOWN)


def test_activity_has_them_in_table_and_figure(made):
    assert list(table(made, "tables/activity.csv")["metric"].unique()) == SHOWN
    assert list(table(made, "figures/activity.csv")["metric"].unique()) == SHOWN
    assert "MRR@20 and HR@1" in (made / "results" / "figures" / "activity.json").read_text()


def test_the_paper_is_judged_in_its_own_metrics(made):
    assert set(table(made, "tables/verdict.csv")["metric"]) == {
        "HR@5",
        "HR@20",
        "NDCG@5",
        "NDCG@20",
    }


def test_the_page_has_them(made):
    page = (made / "results" / "report" / "index.html").read_text()
    table = page.partition('id="table1-tiny"')[2].partition("</table>")[0]
    assert all(f'<th scope="col">{metric}</th>' in table for metric in SHOWN)
    assert "NDCG@20" not in table
    assert "test MRR@20 of" in page


def test_compare_and_headline_show_them(made, capsys):
    config = ["--config", str(made / "tiny.yaml")]
    ranks = np.load(made / "results" / "runs" / "tiny" / "popularity" / "1" / "ranks.npz")["test"]
    users = pd.read_csv(made / "data" / "tiny" / "users.csv", dtype=str)
    frame = pd.DataFrame({"user": users["id"], "rank": ranks})
    frame.to_csv(made / "mine.csv", index=False)
    capsys.readouterr()
    runs = ["--runs", str(made / "results")]
    assert main(["compare", str(made / "mine.csv"), "--dataset", "tiny", *runs, *config]) == 0
    printed = capsys.readouterr().out
    assert ["Model", *SHOWN, "Seeds"] in [line.split() for line in printed.splitlines()]
    assert main(["table", "headline", *config]) == 0
    printed = capsys.readouterr().out
    assert "MRR@20" in printed
    assert "HR@1" in printed
    assert "NDCG@7" not in printed
