"""`import elcrec` is light, and what it exports is imported when it is first used."""

import subprocess
import sys

import pytest

import elcrec

HEAVY = {"faiss", "snakemake", "pandas", "matplotlib"}


def imported(code: str) -> set[str]:
    """The modules that are there after some code, in a process of its own."""
    call = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_package_imports_nothing_heavy():
    assert not imported("import elcrec") & {*HEAVY, "torch", "numpy", "pydantic", "baselines"}


def test_the_cluster_module_needs_torch_alone():
    found = imported("from elcrec import ELCM")
    assert "torch" in found
    assert not found & HEAVY


def test_loading_a_run_needs_no_figures_no_workflow_and_no_faiss():
    assert not imported("from elcrec import load") & {"faiss", "snakemake", "matplotlib"}


def test_the_help_needs_nothing_heavy():
    assert not imported("from elcrec.cli.main import make_parser; make_parser()") & HEAVY


def test_other_names_are_refused_as_of_any_module():
    assert {"ELCM", "load"} <= set(elcrec.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = elcrec.nothing
