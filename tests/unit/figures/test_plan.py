"""Which figures and runs a configuration asks for."""

import importlib

import pytest

from elcrec import ROOT
from elcrec.cli.main import make_parser
from elcrec.config.config import load_config
from elcrec.config.figures import KINDS, LISTED
from elcrec.errors import InputError
from elcrec.figures.plan import plan
from elcrec.runs.plan import sensitivity_points
from elcrec.runs.settings import resolve
from tests.workflow.make_tiny import write


def names(config):
    return [figure.name for figure in plan(config)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_module_and_a_command(kind):
    assert callable(importlib.import_module(f"elcrec.figures.{kind}").draw)
    assert make_parser().parse_args(["figure", kind]).figure == kind


@pytest.mark.parametrize("kind", LISTED)
def test_the_models_of_a_kind_stand_under_its_name(tmp_path, kind):
    config = load_config([write(tmp_path, figures={kind: ["sasrec"]})])
    assert config.figures.models_of(kind) == ["sasrec"]
    with pytest.raises(InputError, match=rf"figures\.{kind}\[0\]: unknown model 'sasrek'"):
        load_config([write(tmp_path, figures={kind: ["sasrek"]})])


def test_further_files_are_those_of_the_data_sets_of_the_figure():
    config = load_config()
    files = {figure.name: (figure.inputs, figure.extras) for figure in plan(config)}
    sequences = tuple(str(config.sequences_file(dataset)) for dataset in config.use)
    assert files["activity"][0] == sequences
    assert files["case_study-beauty"][0] == (str(config.sequences_file("beauty")),)
    assert files["verdict"][0] == (str(config.output / "tables" / "verdict.csv"),)
    assert len(files["diagnostics"][1]) == len(config.use)
    assert files["convergence"] == ((), ())


def test_a_configuration_without_these_models_draws_and_trains_nothing(tmp_path):
    config = load_config([write(tmp_path, models=["popularity"])])
    assert names(config) == []
    assert sensitivity_points(config) == []


def test_models_and_data_sets_that_are_not_in_use_are_left_out(tmp_path):
    config = load_config([write(tmp_path, models=["popularity", "sasrec"])])
    assert names(config) == ["convergence"]
    content = {"ablation": {"datasets": ["beauty"]}, "sensitivity": {"datasets": []}}
    config = load_config([write(tmp_path, figures=content)])
    assert "ablation" not in names(config)
    assert "sensitivity" not in names(config)
    assert {"tsne-tiny", "case_study-tiny", "diagnostics", "activity"} <= set(names(config))


def test_the_replication_adds_two_arms_and_eight_values_per_data_set():
    config = load_config()
    ablation = next(figure for figure in plan(config) if figure.kind == "ablation")
    added = [f for f in ablation.folders if f.parent.name not in config.models]
    assert len(added) == 2 * 4 * 3
    extra = [point.folder for point in sensitivity_points(config) if point.variant]
    assert len(extra) == len(set(extra)) == 8 * 4


def test_the_models_own_value_is_taken_from_its_run(made):
    points = {(p.parameter, p.value): p for p in sensitivity_points(made.config)}
    own = points["alpha", 1]
    assert (own.own, bool(own.variant)) == (True, False)
    assert own.folder == made.config.run_folder("tiny", "elcrec", 1)
    assert points["intents", 8].folder == own.folder
    other = points["alpha", 0.1]
    assert (other.own, other.variant) == (False, "alpha-0.1")
    assert other.folder == made.config.output / "sensitivity" / "tiny" / "alpha-0.1" / "1"


def test_with_another_training_the_own_value_is_trained_once_for_both_parameters():
    config = load_config([ROOT / "workflow" / "config" / "quick.yaml"])
    points = sensitivity_points(config)
    own = {p.folder for p in points if p.own}
    assert own == {config.output / "sensitivity" / "ml-100k" / "alpha-0.1" / "1"}
    assert len({p.folder for p in points if p.variant}) == 5


def test_a_value_that_the_model_does_not_know_is_refused(tmp_path):
    figures = {"sensitivity": {"model": "sasrec", "datasets": ["tiny"], "alpha": [1]}}
    config = load_config([write(tmp_path, figures=figures)])
    with pytest.raises(InputError, match=r"figures\.sensitivity\.alpha: unknown key"):
        sensitivity_points(config)


def test_the_arms_follow_the_model_they_vary_but_for_their_difference(tmp_path):
    parameters = {
        "elcrec": {"intents": 8, "fusion": "concat"},
        "iclrec": {"intents": 8},
        "iclrec_icl": {"intents": 4},
    }
    config = load_config([write(tmp_path, parameters=parameters)])
    found = {m: resolve(config, m, "tiny").parameters for m in config.figures.ablation.models}
    assert {m: p.intents for m, p in found.items()} == {
        "iclrec": 8,
        "iclrec_icl": 4,
        "elcrec_elcm": 8,
        "elcrec": 8,
    }
    fusion = {m: p.fusion for m, p in found.items()}
    assert fusion["iclrec"] == fusion["elcrec_elcm"] == "none"
    assert fusion["iclrec_icl"] == "shift"
    assert fusion["elcrec"] == "concat"


def test_in_the_demo_no_arm_repeats_another():
    config = load_config([ROOT / "workflow" / "config" / "quick.yaml"])
    found = [resolve(config, m, "ml-100k").parameters for m in config.figures.ablation.models]
    assert all(parameters.instance_weight > 0 for parameters in found)  # or fusing does nothing
    assert [parameters.fusion != "none" for parameters in found] == [False, True, False, True]


@pytest.mark.parametrize("dataset", load_config().datasets)
def test_the_arms_differ_from_their_base_in_the_fusion_alone(dataset):
    config = load_config()
    whole = resolve(config, "elcrec", dataset).parameters
    for arm, base, fusion in (
        ("elcrec_elcm", "elcrec", "none"),
        ("iclrec_icl", "iclrec", whole.fusion),
    ):
        one, other = resolve(config, arm, dataset), resolve(config, base, dataset)
        assert one.parameters.fusion == fusion
        assert {**vars(one.parameters), "fusion": 0} == {**vars(other.parameters), "fusion": 0}
        assert one.training == other.training


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"colour": 1}, "figures.colour: unknown key; allowed: ablation, activity, convergence"),
        ({"verdicts": []}, r"figures.verdicts: unknown key \(did you mean 'verdict'\?\)"),
        ({"convergence": "elcrec"}, "figures.convergence: must be a list"),
        (["verdict"], "figures: must be a mapping"),
        ({"sensitivity": {"intents": [0]}}, "figures.sensitivity.intents.0"),
        ({"ablation": {"models": ["elcerc"]}}, "unknown model 'elcerc'"),
    ],
)
def test_a_wrong_section_is_one_line(tmp_path, figures, message):
    with pytest.raises(InputError, match=message):
        load_config([write(tmp_path, figures=figures)])
