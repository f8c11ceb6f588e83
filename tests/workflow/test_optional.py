"""Tables 7 to 9: made when asked for, in nobody's way when they cannot be had."""

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


def configuration(folder, source, **optional):
    """The tiny replication, with ML-1M from `source` and a small optional model."""
    entry = {"counts": COUNTS, "sources": [source]}
    small = {"intents": 4, "max_length": 10, "blocks": 1}
    path = write(
        folder,
        models=["popularity"],
        seeds=[1],
        training={"max_epochs": 1},
        efficiency={"models": [], "seed": 1, "epochs": 1},
        parameters={"iclrec": small, "elcrec": small},
        figures={"ablation": {"models": [], "datasets": []}},
        optional={"models": ["popularity", "elcrec_no_instance"], **optional},
    )
    content = yaml.safe_load(path.read_text())
    content["datasets"]["ml-1m"] = entry
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
    done = snakemake("ml_1m", "--configfile", str(config), "--cores", "2")
    assert done.returncode == 0, done.stderr
    tables = tmp_path / "results" / "tables"
    assert {p.name for p in tables.iterdir()} == {
        f"table{number}.{kind}" for number in (7, 8) for kind in ("csv", "md", "tex")
    }
    table = pd.read_csv(tables / "table8.csv")
    assert (table["seeds"] == 1).all()
    assert table["mean"].between(0, 1).all()
    sizes = pd.read_csv(tables / "table7.csv").set_index("statistic")
    assert sizes.loc["items", ["as_read", "prepared", "paper"]].tolist() == [13, 12, 3706]


def test_without_the_network_it_is_one_line_that_says_what_to_do(tmp_path, unreachable):
    config = configuration(tmp_path, unreachable)
    done = snakemake("ml_1m", "--configfile", str(config), "--cores", "1", NO_PROXY="127.0.0.1")
    assert done.returncode != 0
    said = [
        line for line in (done.stdout + done.stderr).splitlines() if "could not be fetched" in line
    ]
    assert said
    assert all(word in said[0] for word in ("ml-1m", "no connection", "ELCREC_MIRROR", "ml-1m.zip"))


def test_all_asks_for_none_of_it_unless_told_to_and_it_is_there(tmp_path, unreachable):
    def planned(**optional):
        config = configuration(tmp_path, unreachable, **optional)
        done = snakemake("all", "--configfile", str(config), "--dry-run", "--quiet", "reason")
        assert done.returncode == 0, done.stderr
        return jobs(done.stdout)

    assert "ml_1m" not in planned()
    assert "ml_1m" not in planned(with_all=True)  # not prepared: `all` does not need the network
    prepared = tmp_path / "data" / "ml-1m" / "sequences.txt"
    prepared.parent.mkdir(parents=True)
    prepared.write_text("1 1 2 3 4 5\n")
    assert "ml_1m" not in planned()
    assert "ml_1m" in planned(with_all=True)
    assert "mind_small" not in planned(with_all=True)
