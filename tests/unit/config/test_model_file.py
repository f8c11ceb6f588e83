"""Wrong YAML files and modules of models: one line that names file and key."""

import re

import pytest

from elcrec.config.config import load_config
from elcrec.runs import settings
from tests.unit.config.config_files import refusal, write


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"name": "X"}, "the key 'module' is missing"),
        ({}, "the key 'module' is missing"),
        ({"module": "no.such"}, r"module: cannot import 'no\.such'"),
        ({"module": "none.py"}, r"module: cannot import '.*none\.py'"),
        ({"module": "elcrec.models.losses"}, "module: .* defines no class 'Model'"),
        ({"module": 3}, "module: must be a Python module .*, got 3"),
        ({"module": ".x"}, "module: must be a Python module .*, got '.x'"),
        (
            {"module": "elcrec.models.elcrec", "paramters": {}},
            r"paramters: unknown key \(did you mean 'param",
        ),
        (
            {"module": "elcrec.models.elcrec", "trained": "no"},
            "trained: must be true or false, got 'no'",
        ),
        ({"base": "nothing"}, "base: no model 'nothing'"),
        ({"base": ["elcrec"]}, r"base: must be a name of .*, got \['elcrec'\]"),
        ({"base": "model"}, "base: no model 'model'"),
        (
            {"module": "elcrec.models.elcrec", "training": [1]},
            r"training: must be a mapping .*, got \[1\]",
        ),
        (
            {"base": "elcrec", "training": {"patience": -1}},
            r"training\.patience: must be 0 or more",
        ),
        ({"base": "elcrec", "starts_from": "x"}, "starts_from: unknown model 'x'"),
        (
            {"base": "elcrec", "datasets": {"beauty": {"paramters": {}}}},
            r"datasets\.beauty\.paramters: unknown key",
        ),
        (
            {"base": "elcrec", "datasets": {"beauty": {"parameters": {"blocks": "1"}}}},
            r"datasets\.beauty\.parameters\.blocks: must be an integer, got '1' \(write it without",
        ),
        (
            {"base": "elcrec", "datasets": {"beauty": 3}},
            r"datasets\.beauty: must be a mapping .* 3",
        ),
        ("base: elcrec\nname: A\nname: B\n", "line 3: the key 'name' is given here and in line 2"),
    ],
)
def test_wrong_model_files(tmp_path, content, message):
    path = write(tmp_path, content, "model.yaml")

    def resolve():
        settings.resolve(load_config([write(tmp_path, {"models": [str(path)]})]), "model", "beauty")

    said = refusal(resolve)
    assert str(path) in said
    assert re.search(message, said), said


def test_a_wrong_value_of_the_base_names_the_file_of_the_base(tmp_path):
    base = write(tmp_path, {"base": "elcrec", "parameters": {"heads": 3}}, "base.yaml")
    own = write(tmp_path, {"base": "base", "parameters": {"intents": 8}}, "own.yaml")
    config = load_config([write(tmp_path, {"models": [str(own)]})])
    said = refusal(settings.resolve, config, "own", "beauty")
    assert said == f"{base}: parameters.heads: must divide dimension (64), got 3"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def", "SyntaxError"),
        ("import no_such_module", "no_such_module"),
        ("class Model: pass\nclass Hyperparameters: pass\n", "Hyperparameters .* not a dataclass"),
    ],
)
def test_wrong_modules(tmp_path, code, message):
    (tmp_path / "code.py").write_text(code)
    path = write(tmp_path, {"module": "code.py"}, "model.yaml")
    config = load_config([write(tmp_path, {"models": [str(path)]})])
    said = refusal(settings.resolve, config, "model", "beauty")
    assert said.startswith(f"{path}: module: ")
    assert re.search(message, said), said
