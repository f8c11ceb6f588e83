"""Wrong settings of models: one line that names where they stand, whoever gave them."""

import re

import pytest

from elcrec.config.config import load_config
from elcrec.runs import settings
from elcrec.runs.plan import check_runs
from tests.unit.config.config_files import refusal, write


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "batchsize=3",
            r"unknown key \(did you mean 'batch_size'\?\); allowed: .*batch_size.*intents",
        ),
        ("max_epochs=-4", "must be 1 or more, got -4$"),
        ("max_epochs=true", "must be an integer, got true$"),
        ("batch_size=9999999999", "must be an integer of at most 2147483647, got 9999999999$"),
        (
            "learning_rate='1e-3'",
            r"must be a number, got '1e-3' \(write it without quotes\)",
        ),
        ("learning_rate='0.1'", r"must be a number, got '0\.1' \(write it without quotes\)"),
        ("learning_rate=.nan", r"must be a number, got \.nan$"),
        ("learning_rate=.inf", r"must be a number, got \.inf$"),
        (f"learning_rate={10**400}", r"must be a number, got 100.*"),
        ("alpha=", "must be a number, got nothing$"),
        ("alpha=2026-01-01", "must be a number, got the date 2026-01-01"),
        ("alpha=[1", "not valid YAML: "),
        ("alpha={a: 1, a: 2}", "the key 'a' is given here and in line 1"),
        ("intents=2.5", "must be an integer, got 2.5$"),
        ("intents=0", "must be 1 or more, got 0$"),
        ("alpha=-1", "must be 0 or more, got -1.0$"),
        ("fusion=both", "must be one of shift, concat, none, got 'both'$"),
        ("heads=3", r"must divide dimension \(64\), got 3$"),
        ("blocks=0", "must be 1 or more, got 0$"),
        ("hidden_dropout=1", r"must be in \[0, 1\), got 1.0$"),
        ("alpha", "must be key=value$"),
        ("=1", "must be key=value$"),
        ("select_by=MRR", "must be one of HR@5, .*, last, got 'MRR'$"),
    ],
)
def test_wrong_overrides(override, message):
    def resolve():
        overrides = settings.parse_overrides([override])
        settings.resolve(load_config(), "elcrec", "beauty", overrides)

    said = refusal(resolve)
    assert said.startswith(f"--set {override[:20]}".rstrip("'0.1")[:10])
    assert re.search(message, said), said


def test_an_override_is_given_once():
    assert "alpha is set twice" in refusal(settings.parse_overrides, ["alpha=1", "alpha=2"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"training": {"max_epochs": -1}}, "training.max_epochs: must be 1 or more, got -1"),
        ({"training": {"max_epochs": True}}, "training.max_epochs: must be an integer, got true"),
        ({"training": {"epochs": 3}}, "training.epochs: unknown key (did you mean 'max_epochs'?)"),
        (
            {"parameters": {"elcrec": {"alhpa": 1.0}}},
            "parameters.elcrec.alhpa: unknown key (did you mean 'alpha'?); allowed: alpha, ",
        ),
        (
            {"parameters": {"elcrec": {"heads": 5}}},
            "parameters.elcrec.heads: must divide dimension (64), got 5",
        ),
        (  # neither is wrong by itself
            {"parameters": {"elcrec": {"dimension": 66, "heads": 4}}},
            "parameters.elcrec.heads: must divide dimension (66), got 4",
        ),
        (
            {"parameters": {"elcrec": {"dimension": 63}}},
            "parameters.elcrec.dimension: heads must divide dimension (63), got 2",
        ),
    ],
)
def test_settings_of_the_workflow_name_its_file(tmp_path, content, message):
    path = write(tmp_path, content)
    said = refusal(settings.resolve, load_config([path]), "elcrec", "beauty")
    assert said.startswith(f"{path}: {message}")


def test_an_arm_names_the_override_of_the_model_that_it_follows(tmp_path):
    path = write(tmp_path, {"parameters": {"elcrec": {"intents": "many"}}})
    said = refusal(settings.resolve, load_config([path]), "elcrec_elcm", "beauty")
    assert said == f"{path}: parameters.elcrec.intents: must be an integer, got 'many'"


def test_only_the_value_that_is_refused_is_named(tmp_path):
    """The command line is right, the file is not: the later value is not blamed."""
    path = write(tmp_path, {"training": {"max_epochs": -1}})
    said = refusal(settings.resolve, load_config([path]), "elcrec", "beauty", {"batch_size": 3})
    assert said.startswith(f"{path}: training.max_epochs")


def test_the_sensitivity_figure_names_its_values(tmp_path):
    for section, message in (
        ({"training": {"max_epochs": 0}}, "training.max_epochs: must be 1 or more, got 0"),
        ({"model": "iclrec"}, "alpha: unknown key; allowed: "),
    ):
        path = write(tmp_path, {"figures": {"sensitivity": section}}, f"{len(message)}.yaml")
        said = refusal(check_runs, load_config([path]))
        assert f": figures.sensitivity.{message}" in said
