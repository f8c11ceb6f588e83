"""Wrong configurations: one line that names file, key, value and what is allowed."""

import re

import pytest
import yaml

from elcrec import registry
from elcrec.config import DEFAULT, MODEL_FOLDER, load_config
from elcrec.errors import InputError
from elcrec.yamlfile import read_yaml


def write(tmp_path, content, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_the_default_configuration_is_the_whole_replication():
    config = load_config()
    assert config.use == ["sports", "beauty", "toys", "yelp"]
    assert config.seeds == [1, 2, 3]
    assert config.training == {}
    for model in config.models:
        for dataset in config.use:
            registry.resolve(config, model, dataset)


def test_later_files_win_key_by_key(tmp_path):
    first = write(tmp_path, {"training": {"max_epochs": 3}, "seeds": [7]}, "a.yaml")
    second = write(tmp_path, {"training": {"patience": 2}}, "b.yaml")
    config = load_config([first, second])
    assert config.training == {"max_epochs": 3, "patience": 2}
    assert config.seeds == [7]
    assert config.use == load_config().use


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"sedes": [1]}, r"mine\.yaml: unknown key 'sedes'; allowed: .*seeds"),
        ({"seeds": [1, 1]}, r"mine\.yaml: seeds: .*non-unique"),
        ({"seeds": ["one"]}, r"mine\.yaml: seeds\.0: 'one' is not of type 'integer'"),
        ({"seeds": [-1]}, r"mine\.yaml: seeds\.0: -1 is less than the minimum of 0"),
        (
            {"protocol": "loose"},
            r"mine\.yaml: protocol: 'loose' is not one of \['paper', 'strict'\]",
        ),
        ({"use": ["beuaty"]}, r"unknown data set 'beuaty'; known: .*beauty"),
        ({"models": ["elcerc"]}, r"unknown model 'elcerc'; known: .*elcrec"),
        ({"models": ["no/such.yaml"]}, r"no/such\.yaml: no such file"),
        ({"parameters": {"elcerc": {}}}, r"unknown model 'elcerc'; known: .*elcrec"),
        ({"efficiency": {"epochs": 0}}, r"mine\.yaml: efficiency\.epochs: 0 is less than"),
        ({"datasets": {"beauty": {"sha": "x"}}}, r"unknown key 'datasets\.beauty\.sha'; allowed"),
        ("- a\n- b\n", r"mine\.yaml: must be a mapping"),
        ("a: [1\nb: 2\n", r"mine\.yaml, line 2: not valid YAML"),
        ("a: \t1\nb: \x00", r"mine\.yaml: not valid YAML"),
    ],
)
def test_wrong_configurations(tmp_path, content, message):
    with pytest.raises(InputError, match=message) as caught:
        load_config([write(tmp_path, content)])
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.yaml: no such file"):
        load_config([tmp_path / "none.yaml"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("batchsize=3", "unknown key 'batchsize'; allowed: .*intents"),
        ("max_epochs=-4", "max_epochs must be 1 or more, got -4"),
        ("learning_rate=1e-3", r"learning_rate: '1e-3' is not a number .*write 0\.001"),
        ("intents=2.5", "intents: 2.5 is not an integer"),
        ("fusion=both", "fusion: 'both' is not one of shift, concat, none"),
        ("heads=3", "heads must divide dimension"),
        ("alpha", "--set alpha: must be key=value"),
        ("select_by=MRR", "select_by must be one of HR@5"),
    ],
)
def test_wrong_overrides(override, message):
    with pytest.raises(InputError, match=message) as caught:
        registry.resolve(load_config(), "elcrec", "beauty", registry.parse_overrides([override]))
    assert "\n" not in str(caught.value)


def test_settings_come_from_file_data_set_workflow_and_command_in_this_order(tmp_path):
    path = write(
        tmp_path,
        {"training": {"max_epochs": 5}, "parameters": {"elcrec": {"intents": 9, "alpha": 3.0}}},
    )
    config = load_config([path])
    settings = registry.resolve(config, "elcrec", "beauty", {"alpha": 4, "patience": 1})
    assert settings.parameters.fusion == "shift"  # section of the data set
    assert settings.parameters.blocks == 1
    assert settings.parameters.intents == 9
    assert settings.parameters.alpha == 4.0
    assert (settings.training.max_epochs, settings.training.patience) == (5, 1)
    assert settings.training.batch_size == 256


def test_popularity_is_not_trained_so_the_workflow_does_not_change_its_epochs(tmp_path):
    config = load_config([write(tmp_path, {"training": {"max_epochs": 9}})])
    assert registry.resolve(config, "popularity", "beauty").training.max_epochs == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"name": "X"}, "the key 'module' is missing"),
        ({"module": "no.such"}, r"cannot import 'no\.such'"),
        ({"module": "none.py"}, r"cannot import 'none\.py'"),
        ({"module": "elcrec.losses"}, "defines no class 'Model'"),
        ({"module": "elcrec.model", "paramters": {}}, "unknown key 'paramters'"),
        ({"base": "nothing"}, "base: no model 'nothing'"),
        ({"module": "elcrec.model", "training": [1]}, "training: must be a mapping"),
    ],
)
def test_wrong_model_files(tmp_path, content, message):
    path = write(tmp_path, content, "model.yaml")
    config = load_config([write(tmp_path, {"models": [str(path)]})])
    with pytest.raises(InputError, match=message) as caught:
        registry.resolve(config, "model", "beauty")
    assert "model.yaml" in str(caught.value)


def test_a_variant_states_only_its_difference(tmp_path):
    path = write(
        tmp_path, {"base": "elcrec", "name": "B+ELCM", "parameters": {"fusion": "none"}}, "v.yaml"
    )
    config = load_config([write(tmp_path, {"models": [str(path), "elcrec"]})])
    variant = registry.resolve(config, "v", "toys")
    assert variant.name == "B+ELCM"
    base = registry.resolve(config, "elcrec", "toys")
    assert variant.training == base.training
    assert variant.parameters.blocks == base.parameters.blocks == 3


@pytest.mark.parametrize("path", sorted(MODEL_FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_model_file_builds_on_every_data_set(path):
    config = load_config()
    for dataset in config.datasets:
        settings = registry.resolve(config, path.stem, dataset)
        settings.build(30, 40)


def test_no_number_is_written_in_yaml_as_text():
    """1e-3 without a point is a text in YAML."""
    for path in [DEFAULT, *MODEL_FOLDER.glob("*.yaml")]:
        for value in _leaves(read_yaml(path)):
            assert not (isinstance(value, str) and re.fullmatch(r"[\d.]+e-?\d+", value)), path


def _leaves(node):
    if isinstance(node, dict):
        for value in node.values():
            yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    else:
        yield node
