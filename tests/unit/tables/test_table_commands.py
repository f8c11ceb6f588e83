import argparse
import subprocess
import sys

import pytest
import yaml

from elcrec.errors import InputError
from elcrec.tables.commands import add_commands


@pytest.fixture
def elcrec(output, tmp_path):
    """Run `elcrec table ...` on the output folder with a small configuration."""
    config = tmp_path / "config.yaml"
    content = {
        "output": str(output.path),
        "use": ["beauty", "toys"],
        "models": ["popularity", "elcrec"],
        "seeds": [1, 2],
        "efficiency": {"models": ["iclrec", "elcrec"], "seed": 1, "epochs": 1},
    }
    config.write_text(yaml.safe_dump(content))

    def run(*arguments):
        parser = argparse.ArgumentParser()
        add_commands(parser.add_subparsers())
        parsed = parser.parse_args(["table", *arguments, "--config", str(config)])
        return parsed.run(parsed)

    return run


@pytest.fixture
def full(output):
    for dataset in ("beauty", "toys"):
        for model in ("popularity", "iclrec", "elcrec"):
            output.efficiency(dataset, model)
            for seed in (1, 2):
                output.run(dataset, model, seed, test=[seed, 3, 30, 90 if model == "elcrec" else 9])
    return output


def test_accuracy_writes_three_files(elcrec, full):
    assert not elcrec("accuracy", "--any-code")
    folder = full.path / "tables"
    assert {p.name for p in folder.iterdir()} == {"table1.csv", "table1.md", "significance.csv"}
    assert "Popularity" in (folder / "table1.md").read_text()


def test_runs_that_other_code_made_are_refused(elcrec, full):
    with pytest.raises(InputError, match=r"one of 8 runs that other code made.*--any-code"):
        elcrec("accuracy")
    with pytest.raises(InputError, match=r"runs that other code made.*--any-code"):
        elcrec("efficiency")
    assert not (full.path / "tables").exists()


def test_efficiency_writes_four_files_where_asked(elcrec, full, tmp_path):
    elcrec("efficiency", "--any-code", "--output", str(tmp_path / "here"))
    names = {p.name for p in (tmp_path / "here").iterdir()}
    assert names == {"table2.csv", "table2.md", "table3.csv", "table3.md"}
    text = (tmp_path / "here" / "table2.md").read_text()
    assert text.index("ICLRec") < text.index("ELCRec") < text.index("Popularity")


def test_an_efficiency_record_of_an_unknown_model_keeps_its_id(elcrec, full):
    full.efficiency("beauty", "mine")
    elcrec("efficiency", "--any-code")
    assert "| mine " in (full.path / "tables" / "table3.md").read_text()


def test_headline_is_printed(elcrec, full, capsys):
    elcrec("headline")
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].split() == ["Dataset", "Metric", "Popularity", "ELCRec"]
    assert "(0.0529)" in printed


def test_the_same_runs_give_the_same_files(elcrec, full):
    elcrec("accuracy", "--any-code")
    first = {p: p.read_bytes() for p in (full.path / "tables").iterdir()}
    elcrec("accuracy", "--any-code")
    assert first == {p: p.read_bytes() for p in (full.path / "tables").iterdir()}


def test_a_corrupt_run_leaves_no_table(elcrec, full):
    (full.path / "runs" / "toys" / "elcrec" / "2" / "ranks.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"toys/elcrec/2/ranks\.npz"):
        elcrec("accuracy", "--any-code")
    assert not (full.path / "tables").exists()


def test_tables_need_no_torch_and_the_parser_no_scipy():
    code = (
        "import sys, elcrec.tables.commands; assert 'scipy' not in sys.modules;"
        "import elcrec.tables.accuracy_text, elcrec.tables.efficiency_text, elcrec.config;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
