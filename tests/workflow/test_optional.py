"""Tables 7 to 9: workflow/config/optional.yaml, whose data sets are like the others."""

import socket
import zipfile
from itertools import product

import pandas as pd
import pytest
import yaml

from tests.workflow.make_tiny import write
from tests.workflow.test_workflow import jobs, snakemake

COUNTS = {"users": 60, "items": 12, "actions": 720}


def ratings() -> str:
    """60 users who walk a cycle of 12 films, and one film that a single user saw."""
    lines = ["1::rare::5::999\n"]
    walks = product(range(60), range(12))
    lines += [f"{user + 1}::{(user + step) % 12}::4::{step}\n" for user, step in walks]
    return "".join(lines)


def configuration(folder, source):
    """The tiny replication of ML-1M from `source`, with small models."""
    small = {"intents": 4, "max_length": 10, "blocks": 1}
    path = write(
        folder,
        use=["ml-1m"],
        models=["popularity", "elcrec_no_instance"],
        seeds=[1],
        training={"max_epochs": 1},
        efficiency={"models": [], "seed": 1, "epochs": 1},
        parameters={"elcrec_no_instance": small},
        figures={"ablation": {"models": [], "datasets": []}},
    )
    content = yaml.safe_load(path.read_text())
    content["datasets"]["ml-1m"] = {"counts": COUNTS, "sources": [source]}
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def unreachable():
    """A source on loopback where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/ml-1m.zip"
    return {"format": "movielens", "file": "ml-1m.zip", "urls": [url]}


def test_ml_1m_from_the_archive_to_its_tables(tmp_path):
    archive = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("ml-1m/ratings.dat", ratings())
    source = {"format": "movielens", "path": str(archive), "member": "ml-1m/ratings.dat"}
    config = configuration(tmp_path, source)
    done = snakemake("all", "--configfile", str(config), "--cores", "2")
    assert done.returncode == 0, done.stderr
    tables = tmp_path / "results" / "tables"
    table = pd.read_csv(tables / "table1.csv")
    assert (table["seeds"] == 1).all()
    assert table["mean"].between(0, 1).all()
    verdicts = pd.read_csv(tables / "verdict.csv").set_index("dataset")
    assert verdicts.loc["ML-1M", "paper"].tolist() == [
        *[0.0293, 0.0333, 0.0777, 0.0836, 0.0186, 0.0208, 0.0320, 0.0347]
    ]
    sizes = pd.read_csv(tables / "data_statistics.csv").iloc[0]
    assert sizes[["items", "paper_items"]].tolist() == [12, 3706]
    assert "60 users, 13 items, 721 actions" in (tables / "data_statistics.md").read_text()
    page = (tmp_path / "results" / "report" / "index.html").read_text()
    assert "values in the paper's Tables 1 and 8" in page
    assert "the paper has no results to compare with" not in page


def test_without_the_network_it_is_one_line_that_says_what_to_do(tmp_path, unreachable):
    config = configuration(tmp_path, unreachable)
    done = snakemake("all", "--configfile", str(config), "--cores", "1", NO_PROXY="127.0.0.1")
    assert done.returncode != 0
    said = [
        line for line in (done.stdout + done.stderr).splitlines() if "could not be fetched" in line
    ]
    assert said
    assert all(word in said[0] for word in ("ml-1m", "no connection", "ELCREC_MIRROR", "ml-1m.zip"))


def test_the_configuration_is_planned_with_all_of_its_models():
    config = "workflow/config/optional.yaml"
    done = snakemake("all", "--configfile", config, "--dry-run", "--forceall", "--quiet", "reason")
    assert done.returncode == 0, done.stderr
    planned = jobs(done.stdout)
    assert (planned["fetch"], planned["train"], planned["accuracy"]) == (2, 2 * 5 * 3, 1)
    assert not planned.keys() & {"measure", "sensitivity"}
