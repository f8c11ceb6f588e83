"""constraints.txt has an exact version of every requirement, within the range of pyproject.toml."""

import re
import tomllib
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from elcrec import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LINES = (ROOT / "constraints.txt").read_text().splitlines()
PINS = dict(line.split("==") for line in LINES if not line.startswith("#"))
VERSIONS = {canonicalize_name(name): version for name, version in PINS.items()}
REQUIRED = [Requirement(r) for group in (PROJECT["dependencies"], *EXTRAS.values()) for r in group]


def test_every_requirement_has_an_exact_version_in_its_range():
    for requirement in (r for r in REQUIRED if r.name != PROJECT["name"]):
        version = VERSIONS[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_every_version_is_exact_and_stands_once():
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", version) for version in PINS.values())
    assert len(VERSIONS) == len([line for line in LINES if not line.startswith("#")])


def test_what_is_imported_by_everyone_has_a_range():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert ">=" in operators, requirement
        assert "==" not in operators, requirement


def test_both_builds_of_faiss_are_accepted_and_of_one_version():
    assert EXTRAS["cpu"] == [EXTRAS["gpu"][0].replace("gpu", "cpu")]
    assert VERSIONS["faiss-cpu"] == VERSIONS["faiss-gpu"]


def test_own_extras_that_an_extra_names_exist():
    own = [requirement for requirement in REQUIRED if requirement.name == PROJECT["name"]]
    assert own
    assert all(requirement.extras <= EXTRAS.keys() for requirement in own)


def test_what_snakemake_needs_for_its_report_is_installed():
    named = {Requirement(requirement).name.lower() for requirement in EXTRAS["workflow"]}
    for needed in map(Requirement, requires("snakemake")):
        if needed.marker and needed.marker.evaluate({"extra": "reports"}):
            assert needed.name in named
