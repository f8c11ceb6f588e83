import argparse
import json
import subprocess
import sys

import pytest
import yaml

from elcrec.cli.table import add_commands
from elcrec.errors import InputError


@pytest.fixture
def elcrec(output, tmp_path):
    """Run `elcrec table ...` on the output folder with a small configuration."""
    config = tmp_path / "config.yaml"
    content = {
        "output": str(output.path),
        "data": str(tmp_path / "data"),
        "use": ["beauty", "toys"],
        "models": ["popularity", "elcrec"],
        "seeds": [1, 2],
        "efficiency": {"models": ["iclrec", "elcrec"], "seed": 1, "epochs": 1},
    }

    def run(*arguments):
        config.write_text(yaml.safe_dump(content))
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


def test_accuracy_writes_four_files(elcrec, full):
    assert not elcrec("accuracy", "--any-code")
    folder = full.path / "tables"
    names = {"table1.csv", "table1.md", "table1.tex", "significance.csv"}
    assert {p.name for p in folder.iterdir()} == names
    assert "Popularity" in (folder / "table1.md").read_text()
    assert "Training noise" in (folder / "table1.md").read_text()


@pytest.mark.parametrize("command", ["accuracy", "verdict", "activity"])
def test_without_any_run_there_are_gaps_and_no_failure(elcrec, output, command):
    elcrec(command)
    for path in (output.path / "tables").iterdir():
        lines = path.read_text().splitlines()
        assert lines[0], path  # a CSV has its header even without rows
        if path.suffix != ".csv":
            assert "Missing: ELCRec on Beauty, seeds 1, 2." in path.read_text()


def test_verdict_writes_its_files_and_says_the_outcome(elcrec, full, capsys):
    # HR is the same in both seeds, so any other value differs; NDCG is not, on two seeds.
    elcrec("verdict", "--any-code")
    folder = full.path / "tables"
    names = {"verdict.csv", "nearest.csv", "detectable.csv", "impossible.csv"}
    assert {p.name for p in folder.iterdir()} == names
    printed = capsys.readouterr().out
    assert "204 values in the paper's Table 1: 0 compatible, " in printed
    assert "196 not run; 0 of these verdicts are provisional" in printed
    assert "prediction interval of one more run" in printed


def test_activity_needs_the_histories_of_the_runs(elcrec, full, tmp_path):
    with pytest.raises(InputError, match=r"beauty/sequences\.txt: not there yet"):
        elcrec("activity", "--any-code")
    for dataset in ("beauty", "toys"):
        path = tmp_path / "data" / dataset / "sequences.txt"
        path.parent.mkdir(parents=True)
        path.write_text("".join(f"{user} 1 2 3 4\n" for user in range(1, 7)))
    with pytest.raises(InputError, match=r"data is histories of beauty, but the prepared"):
        elcrec("activity", "--any-code")


def test_data_statistics_as_latex(elcrec, output, tmp_path):
    record = {"dataset": "beauty", "name": "Beauty & more", "users": 22363, "items": 12101}
    record |= {"actions": 198502, "mean_length": 8.876, "sparsity_percent": 99.9267}
    path = tmp_path / "statistics.json"
    path.write_text(json.dumps(record))
    elcrec("data-statistics", str(path))
    names = {f"data_statistics.{kind}" for kind in ("csv", "md", "tex")}
    assert {p.name for p in (output.path / "tables").iterdir()} == names
    text = (output.path / "tables" / "data_statistics.tex").read_text()
    assert r"Beauty \& more & 22,363 & 22363 & 12,101 & 12101 & 198,502 & 0.2M & 8.9" in text


def test_runs_that_other_code_made_are_refused(elcrec, full):
    with pytest.raises(InputError, match=r"one of 8 runs not made with the current code.*any-code"):
        elcrec("accuracy")
    with pytest.raises(InputError, match=r"runs not made with the current code.*--any-code"):
        elcrec("efficiency")
    assert not (full.path / "tables").exists()


def test_efficiency_writes_its_files_where_asked(elcrec, full, tmp_path):
    elcrec("efficiency", "--any-code", "--output", str(tmp_path / "here"))
    names = {p.name for p in (tmp_path / "here").iterdir()}
    assert names == {f"table{number}.{kind}" for number in (2, 3) for kind in ("csv", "md", "tex")}
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
        "import sys, elcrec.cli.table; assert 'scipy' not in sys.modules;"
        "import elcrec.tables.table1_files, elcrec.tables.tables2_3, elcrec.config.config;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
