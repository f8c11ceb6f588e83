"""Damaged configurations and model files: all runs can be resolved, or one line says why not."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from elcrec.config.config import DEFAULT, MODEL_FOLDER, from_mapping, load_config
from elcrec.config.merging import merge
from elcrec.files.yamlfile import read_yaml
from elcrec.runs.grid import read_grid
from elcrec.runs.plan import check_runs
from elcrec.runs.settings import add_model_file, parse_overrides, resolve
from tests.fuzz.harness import attempt, fuzz
from tests.fuzz.mutations import damaged_bytes, damaged_file, damaged_tree

QUICK = DEFAULT.parent / "quick.yaml"
WHOLE = merge(read_yaml(DEFAULT), read_yaml(QUICK))
SETTINGS = {  # what no schema describes, so that only a model can refuse it
    "training": read_yaml(MODEL_FOLDER / "elcrec.yaml")["training"],
    "parameters": {
        model: read_yaml(MODEL_FOLDER / f"{model}.yaml")["parameters"]
        for model in ("elcrec", "bprmf", "caser", "gru4rec", "bert4rec")
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("config")


@st.composite
def damaged_configuration(draw, whole):
    """The whole configuration with one section damaged: all are equally likely to be."""
    section = draw(st.sampled_from(sorted(whole)))
    tree = draw(damaged_tree({section: whole[section]}))
    rest = {key: value for key, value in whole.items() if key != section}
    return {**rest, **tree} if isinstance(tree, dict) else tree


def check(path):
    content = read_yaml(path)
    check_runs(from_mapping(content, [(path, content)]))


@fuzz(25)
@given(tree=damaged_configuration(merge(WHOLE, SETTINGS)))
def test_damaged_configurations(folder, tree):
    path = folder / "damaged.yaml"
    path.write_text(yaml.safe_dump(tree))
    attempt("configuration, its values", path, lambda: check(path))


@fuzz(25)
@given(text=damaged_bytes(QUICK.read_bytes()))
def test_damaged_text_of_a_configuration(folder, text):
    path = folder / "damaged_text.yaml"
    path.write_bytes(text)
    attempt("configuration, its bytes", path, lambda: check_runs(load_config([path])))


@st.composite
def damaged_model(draw):
    model = draw(st.sampled_from(sorted(MODEL_FOLDER.glob("*.yaml"))))
    return draw(damaged_file(model.read_bytes(), ".yaml"))


@fuzz(100)
@given(content=damaged_model())
def test_damaged_model_files(folder, content):
    path = folder / "damaged_model.yaml"
    path.write_bytes(content)
    attempt("model file", path, lambda: resolve_everywhere(path))


def resolve_everywhere(path):
    config = load_config()
    model = add_model_file(config, str(path))
    for dataset in config.datasets:
        resolve(config, model, dataset)
        read_grid(config, model, dataset)


@fuzz(100)
@given(text=damaged_bytes(b"learning_rate=0.001"))
def test_damaged_overrides(folder, text):
    """Of `--set`; every message names the option."""
    overrides = [text.decode(errors="replace")]
    attempt(
        "override",
        folder / "--set",
        lambda: resolve(load_config(), "elcrec", "beauty", parse_overrides(overrides)),
    )
