"""pip and conda carry the same pins."""

import re
import tomllib
from importlib.metadata import requires

import yaml
from packaging.requirements import Requirement

from elcrec import ROOT

OTHER_NAMES = {"torch": "pytorch", "PyYAML": "pyyaml"}  # pip -> conda


def test_environment_yml_has_the_pins_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = dict(p.split("==") for p in project["dependencies"])
    pins |= dict(p.split("==") for p in project["optional-dependencies"]["gpu"])
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    found = dict(d.split("=") for d in conda if isinstance(d, str) and "=" in d)
    found.pop("python")
    assert found == {OTHER_NAMES.get(name, name): version for name, version in pins.items()}


def test_every_requirement_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (r for group in groups for r in group):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[\d.]+", requirement)


def test_both_builds_of_faiss_are_accepted_and_of_one_version():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = extras["optional-dependencies"]
    assert extras["cpu"] == [extras["gpu"][0].replace("gpu", "cpu")]


def test_what_snakemake_needs_for_its_report_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {pin.split("==")[0].lower() for pin in project["dependencies"]}
    for needed in map(Requirement, requires("snakemake")):
        if needed.marker and needed.marker.evaluate({"extra": "reports"}):
            assert needed.name in pinned
