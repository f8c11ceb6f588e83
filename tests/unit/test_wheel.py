"""The wheel holds what an installed `elcrec` needs; a checkout keeps one copy of each file."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from elcrec import ROOT, paper
from tests.workflow.make_tiny import write

FOLDERS = ("elcrec", "baselines", "variants", "workflow", "docs", "results/recorded")
FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
MOST_BYTES = 50_000_000  # of what lies in a wheel besides code; recorded weights are most of it
EVERYTHING = """
from elcrec import ROOT, __file__, paper
from elcrec.config.config import load_config
from elcrec.report.page import FINDINGS
from elcrec.runs.plan import SIMPLE, check_runs
from elcrec.runs.reading import Runs
config = load_config()
check_runs(config)
found = Runs(config.replaced(runs="recorded")).find(["beauty"], [*config.models, *SIMPLE])
print(__file__, len(paper.load_accuracy()), FINDINGS.exists(), sum(map(len, found.values())))
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the checkout, for building leaves files in it."""
    folder = tmp_path_factory.mktemp("sources")
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def installed(sources, tmp_path_factory):
    """Where the wheel is installed."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--no-build-isolation", "--no-deps", "--quiet", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(sources)], check=True)
    return target


@pytest.fixture
def run(installed, tmp_path, monkeypatch):
    """Run Python somewhere else, with the installed package; returns what it prints."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        environment = os.environ | {"PYTHONPATH": str(installed)}
        done = subprocess.run(
            [sys.executable, *map(str, words)], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_configuration_printed_numbers_and_recorded_runs_are_found(installed, run):
    place, printed, findings, runs = run("-c", EVERYTHING).split()
    assert place == str(installed / "elcrec" / "__init__.py")
    assert int(printed) == len(paper.load_accuracy())
    assert findings == "True"
    assert int(runs) == len(list(ROOT.glob("results/recorded/*/runs/beauty/*/*/metrics.json")))


def test_what_is_shipped_is_that_of_the_checkout_and_small(installed):
    shipped = installed / "elcrec" / "shipped"
    files = [path for path in shipped.rglob("*") if path.is_file()]
    assert all(f.read_bytes() == (ROOT / f.relative_to(shipped)).read_bytes() for f in files)
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    configs = {path.name for path in (shipped / "workflow" / "config").rglob("*.yaml")}
    assert configs == {path.name for path in (ROOT / "workflow" / "config").rglob("*.yaml")}


def test_it_trains_and_recommends(run, tmp_path):
    config = write(tmp_path)
    assert "recommend" in run("-m", "elcrec", "--help")
    for step in ("fetch", "prepare"):
        run("-m", "elcrec", "data", step, "--dataset", "tiny", "--config", config)
    words = ["--dataset", "tiny", "--model", "elcrec", "--config", config, "--output", "mine"]
    assert "ELCRec Tiny seed 1: HR@5" in run("-m", "elcrec", "train", *words)
    asked = ["--history", "3 4 5", "--top", "2", "--config", config]
    lines = run("-m", "elcrec", "recommend", "--run", "mine", *asked).splitlines()
    assert len(lines) == 3
    metrics = json.loads((tmp_path / "mine" / "metrics.json").read_text())
    assert (metrics["commit"], metrics["dirty"]) == (None, True)  # an installed package has none


def test_an_sdist_has_what_the_wheel_needs(sources, tmp_path):
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, tmp_path], cwd=sources, check=True, capture_output=True
    )
    (archive,) = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(archive, tmp_path)
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    for pattern in ("workflow/config/**/*.yaml", "workflow/paper/*.csv", "docs/findings.md"):
        names = {path.relative_to(sources) for path in sources.glob(pattern)}
        assert names == {path.relative_to(unpacked) for path in unpacked.glob(pattern)}


def test_an_editable_installation_copies_nothing(sources, tmp_path):
    build = "import sys; from setuptools import build_meta; build_meta.build_editable(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, tmp_path], cwd=sources, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.endswith((".yaml", ".csv", ".npz"))]
    assert not (sources / "elcrec" / "shipped").exists()
    assert not (ROOT / "elcrec" / "shipped").exists()
