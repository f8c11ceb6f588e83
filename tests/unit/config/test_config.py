"""Wrong configurations: one line that names file, key, value and what is allowed."""

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import pytest

from elcrec import ROOT
from elcrec.config.config import DEFAULT, MODEL_FOLDER, load_config
from elcrec.data.sources import PREPARED
from elcrec.errors import InputError
from elcrec.files.yamlfile import read_yaml
from elcrec.runs import settings as registry
from tests.unit.config.config_files import refusal, write


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


DATASET = {"path": "mine.txt"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        # keys
        ({"sedes": [1]}, r"sedes: unknown key \(did you mean 'seeds'\?\); allowed: data, .*, use"),
        ({"zzz": 1}, r"zzz: unknown key; allowed: data, "),
        (
            {"figures": {"ablation": {"dataset": []}}},
            r"figures\.ablation\.dataset: unknown key \(did you mean 'datasets'\?\); allowed: data",
        ),
        ({"datasets": {"beauty": {"sha": "x"}}}, r"datasets\.beauty\.sha: unknown key.*sha256"),
        ({"datasets": {"a b": DATASET}}, r"datasets\.a b: the name must be a name of letters, di"),
        ({"datasets": {"new": {}}}, r"datasets\.new: a key is missing: 'sources' or 'path'"),
        (
            {"datasets": {"new": {"sources": [{"urls": ["http://x"]}]}}},
            r"datasets\.new\.sources\[0\]: the key 'format' is missing",
        ),
        # paths
        ({"output": "results/{x}"}, r"output: must not contain braces, which Snakemake replaces"),
        ({"datasets": {"new": {"path": "{x}.txt"}}}, r"new\.path: must not contain braces"),
        ({"data": "~no-such-user"}, r"data: must be a path, got '~no-such-user': there is no such"),
        ({"recorded": "-r"}, r"recorded: must not begin with -, got '-r'; write the full"),
        ({"output": "a\nb"}, r"output: must be a path of one line, in UTF-8, got 'a\\nb'$"),
        ({"models": ["~no-such-user/m.yaml"]}, r"models\[0\]: must be a path, got '~no-such-us"),
        # types
        ({"seeds": ["one"]}, r"seeds\[0\]: must be an integer from 0 to 2147483647, got 'one'$"),
        ({"seeds": [1, True]}, r"seeds\[1\]: must be an integer from 0 to 2147483647, got true$"),
        ({"seeds": [1.0]}, r"seeds\[0\]: must be an integer from 0 to 2147483647, got 1\.0$"),
        ({"seeds": ["1"]}, r"seeds\[0\]: .*, got '1' \(write it without quotes\)$"),
        (
            {"seeds": 3},
            r"seeds: must be a list of at least one entry, each an integer from .*, got 3",
        ),
        ("threads: 1e2\n", r"threads: must be an integer from 1 to 1024, got 100\.0$"),
        ("training:\n", r"training: must be a mapping of keys to values, got nothing$"),
        (
            "use: [2026-01-01]\n",
            r"use\[0\]: must be a name of .*, got the date 2026-01-01 \(in quot",
        ),
        ({"graphs": "yes"}, r"graphs: must be true or false, got 'yes'"),
        ({"parameters": {"elcrec": [1]}}, r"parameters\.elcrec: must be a mapping .*, got \[1\]"),
        ({"output": ""}, r"output: must be a text that is not empty, got ''"),
        # values
        ({"seeds": []}, r"seeds: must be a list of at least one entry, .*, got \[\]"),
        ({"seeds": [1, 2, 1]}, r"seeds: must not repeat a value, got 1 at \[0\] and \[2\]"),
        ({"seeds": [-1]}, r"seeds\[0\]: must be an integer from 0 to 2147483647, got -1"),
        ({"seeds": [10**400]}, r"seeds\[0\]: must be .*, got 1000*\.\.\.0000*$"),
        (
            {"metrics": ["HR@5", "Hit@10"]},
            r"metrics\[1\]: unknown metric 'Hit@10' \(did you mean 'HR@10'\?\); allowed: HR@k, "
            r"NDCG@k, MRR@k, k from 1$",
        ),
        (
            {"metrics": ["NDCG"]},
            r"metrics\[0\]: unknown metric 'NDCG' \(did you mean 'NDCG@10'\?\)",
        ),
        ({"metrics": ["HR@0"]}, r"metrics\[0\]: unknown metric 'HR@0'.*, k from 1$"),
        ({"metrics": ["HR@1", "HR@1"]}, r"metrics: must not repeat a value, got 'HR@1'"),
        ({"metrics": "HR@1"}, r"metrics: must be a list, each a text, got 'HR@1'"),
        ({"protocol": "loose"}, r"protocol: must be one of paper, strict, repeats, got 'loose'"),
        (
            {"efficiency": {"epochs": 0}},
            r"efficiency\.epochs: must be an integer from 1 to .*, got 0",
        ),
        (
            "efficiency: {epochs: .nan}",
            r"efficiency\.epochs: must be an integer from 1 to .*, got \.nan$",
        ),
        (
            "efficiency: {epochs: -.inf}",
            r"efficiency\.epochs: must be an integer from 1 to .*, got -\.inf",
        ),
        (
            {"efficiency": {"epochs": 10**400}},
            r"efficiency\.epochs: must be an integer from 1 to ",
        ),
        (
            {"verdict": {"tolerance_percent": 5}},
            r"verdict: unknown key; allowed: ",
        ),
        (
            {"datasets": {"beauty": {"sha256": "12"}}},
            r"datasets\.beauty\.sha256: must be 64 hexadecimal digits, 0-9 and a-f, got '12'",
        ),
        (
            {"datasets": {"new": {"sources": [{"format": "sequences", "urls": ["ftp://x"]}]}}},
            r"datasets\.new\.sources\[0\]\.urls\[0\]: must be an address that begins with .*'ftp://x'",
        ),
        # names
        (
            {"use": ["beuaty"]},
            r"use\[0\]: unknown data set 'beuaty' \(did you mean 'beauty'\?\); kn",
        ),
        (
            {"models": ["elcerc"]},
            r"models\[0\]: unknown model 'elcerc' \(did you mean 'elcrec'\?\)",
        ),
        (
            {"models": ["../models/elcrec"]},
            r"models\[0\]: must be the name of a model, or the path",
        ),
        ({"models": ["no/such.yaml"]}, r"models\[0\]: no/such\.yaml: no such file"),
        (
            {"models": ["elcrec", str(MODEL_FOLDER / "elcrec.yaml")]},
            r"models\[1\]: the model 'elcrec' is listed twice, as .*models/elcrec\.yaml and ",
        ),
        ({"parameters": {"elcerc": {}}}, r"parameters\.elcerc: unknown model 'elcerc'.*; known: "),
        (
            {"figures": {"ablation": {"datasets": ["toy"]}}},
            r"figures\.ablation\.datasets\[0\]: unknown data set 'toy' \(did you mean 'toys'",
        ),
        ({"figures": {"intents_of": "x"}}, r"figures\.intents_of: unknown model 'x'; known: "),
    ],
)
def test_wrong_configurations(tmp_path, content, message):
    path = write(tmp_path, content)
    said = refusal(load_config, [path])
    assert said.startswith(f"{path}: ")
    assert re.search(message, said), said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", r": must be a mapping of keys to values, got \['a', 'b'\]"),
        ("a: [1\nb: 2\n", r", line 2: not valid YAML: while parsing a flow sequence, expected"),
        ("a: \t1\nb: \x00", r": not valid YAML: unacceptable character"),
        (
            "seeds: [1]\nuse: [toys]\nseeds: [2]\n",
            r", line 3: the key 'seeds' is given here and in",
        ),
        (
            "figures:\n  seed: 1\n  seed: 1\n",
            r", line 3: the key 'seed' is given here and in line 2",
        ),
        (
            "datasets: {100: {path: x}}\n",
            r", line 1: a key must be a text: write '100' with the quot",
        ),
        ("on: 3\n", r", line 1: a key must be a text: write 'on' with the quotes"),
        ("? [a]\n: 3\n", r", line 1: a key must be a text"),
        ("use: &all [*all]\n", r", line 1: not valid YAML: found unconstructable recursive node"),
        ("use: " + "[" * 3000, r": nested too deeply"),
        ("use: 2026-13-01\n", r", line 1: '2026-13-01' cannot be read as timestamp"),
        (f"threads: {'9' * 5000}\n", r", line 1: '9+\.\.\.9+' cannot be read as int"),
        (
            "use: !!python/name:os.system\n",
            r", line 1: not valid YAML: could not determine a const",
        ),
        ("--- {}\n--- {}\n", r", line 2: not valid YAML: expected a single document"),
    ],
)
def test_files_that_are_not_taken(tmp_path, text, message):
    path = write(tmp_path, text)
    said = refusal(load_config, [path])
    assert said.startswith(str(path))
    assert re.match(message, said.removeprefix(str(path))), said


def test_a_key_merged_in_may_be_given_again(tmp_path):
    path = write(tmp_path, "training: {<<: {patience: 1, max_epochs: 2}, patience: 3}\n")
    assert load_config([path]).training == {"patience": 3, "max_epochs": 2}


def test_a_folder_and_a_file_of_bytes_are_no_configuration(tmp_path):
    assert "cannot be read: Is a directory" in refusal(load_config, [tmp_path])
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    assert refusal(load_config, [path]).startswith(f"{path}: not valid YAML")


def test_of_several_files_that_is_named_which_has_the_value(tmp_path):
    first = write(
        tmp_path, {"seeds": [-1], "training": {"patience": -2, "max_epochs": 3}}, "a.yaml"
    )
    second = write(tmp_path, {"training": {"max_epochs": 2}}, "b.yaml")
    assert refusal(load_config, [first, second]).startswith(f"{first}: seeds[0]")
    third = write(tmp_path, {"seeds": [1]}, "c.yaml")
    config = load_config([first, second, third])
    said = refusal(registry.resolve, config, "elcrec", "beauty")
    assert said == f"{first}: training.patience: must be 0 or more, got -2"


def test_a_missing_file_is_named(tmp_path):
    assert refusal(load_config, [tmp_path / "none.yaml"]) == f"{tmp_path}/none.yaml: no such file"


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


def test_a_later_setting_of_training_leaves_the_runs_before_it_what_they_are(monkeypatch):
    settings = registry.resolve(load_config(), "elcrec", "beauty")
    digest = settings.digest()

    @dataclass(frozen=True)
    class Later(registry.TrainingSettings):
        clip: float = field(default=0.0, metadata={registry.BEFORE: 0.0})

    monkeypatch.setattr(registry, "TrainingSettings", Later)
    assert settings.digest() == digest  # of a run that was made before
    same = registry.resolve(load_config(), "elcrec", "beauty")
    assert same.as_dict()["training"]["clip"] == 0.0
    assert same.digest() == digest
    assert registry.digested(same.as_dict()) == registry.digested(settings.as_dict())
    other = registry.resolve(load_config(), "elcrec", "beauty", {"clip": 1.0})
    assert other.digest() != digest


def test_the_digest_of_settings_leaves_out_how_a_model_and_its_module_are_called():
    settings = registry.resolve(load_config(), "elcrec", "beauty")
    digest = settings.digest()
    moved = replace(settings, name="Mine", module=ModuleType("elsewhere"))
    assert moved.digest() == digest
    assert registry.settings_digest({"seed": 3, **moved.as_dict()}) == digest
    others = [
        replace(settings, model="mine"),
        replace(settings, parameters=replace(settings.parameters, alpha=0.7)),
        replace(settings, training=replace(settings.training, patience=7)),
        replace(settings, starts_from="sasrec"),
        replace(settings, precision="tf32"),
    ]
    assert len({digest, *(other.digest() for other in others)}) == 6


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


def test_paths_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "base: sasrec\n", "m.yaml")
    said = {key: f"~/{key}" for key in ("output", "data", "recorded")}
    config = load_config([write(tmp_path, said | {"models": ["~/m.yaml"]})])
    assert (config.output, config.data) == (tmp_path / "output", tmp_path / "data")
    assert config.recorded == tmp_path / "recorded"
    assert config.model_file("m") == tmp_path / "m.yaml"


def test_files_of_the_users_own_are_needed_until_they_are_prepared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = {"use": ["mine"], "datasets": {"mine": {"path": "mine.txt"}}, "data": "data"}
    config = load_config([write(tmp_path, mine)])
    told = (
        f"datasets.mine: path mine.txt: no such file (relative to the working directory {tmp_path})"
    )
    assert refusal(config.check_own_files) == told
    (tmp_path / "mine.txt").mkdir()
    assert "path mine.txt: not a file (relative to" in refusal(config.check_own_files)
    (tmp_path / "data" / "mine").mkdir(parents=True)
    for name in PREPARED:
        (tmp_path / "data" / "mine" / name).touch()
    config.check_own_files()


def test_a_prepared_file_that_was_copied_in_part_is_refused(tmp_path):
    mine = {"use": ["mine"], "datasets": {"mine": {"path": "mine.txt"}}, "data": str(tmp_path)}
    config = load_config([write(tmp_path, mine)])
    path = tmp_path / "mine" / "sequences.txt"
    assert "not there yet; make it with: elcrec data fetch" in refusal(config.prepared_file, "mine")
    path.parent.mkdir()
    path.write_text("1 1 2 3 4\n2 1 2 3 4\n")
    assert config.prepared_file("mine") == path  # without statistics there is nothing to compare
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    (path.parent / "statistics.json").write_text(json.dumps({"sha256": sha256}))
    assert config.prepared_file("mine") == path
    path.write_text("1 1 2 3 4\n")
    said = refusal(config.prepared_file, "mine")
    assert said.startswith(f"{path}: does not match statistics.json beside it, perhaps")
    assert "make it again with: elcrec data prepare --dataset mine --config" in said


def test_a_call_of_snakemake_names_the_files_and_where_the_workflow_is(tmp_path, monkeypatch):
    files = [write(tmp_path, {}, "a b.yaml"), write(tmp_path, {}, "c.yaml")]
    quoted = f"'{files[0]}' {files[1]}"
    config = load_config(files)
    monkeypatch.chdir(ROOT)
    assert config.snakemake("all") == f"snakemake all --configfile {quoted}"
    monkeypatch.chdir(tmp_path)
    assert config.snakemake("all").startswith(f"snakemake --snakefile {ROOT / 'Snakefile'} all --c")
    assert config.elcrec("report") == f"elcrec report --config {quoted}"
    assert load_config().elcrec("report") == "elcrec report"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"use": ["mine", "beauty"], "datasets": {"mine": {"name": "Beauty", "path": "m.txt"}}},
            "use: mine and beauty are both named 'Beauty'; give one of them another `name`",
        ),
        ({"models": ["sasrec", "sasrec.yaml"]}, "the model 'sasrec' is listed twice"),
        (
            {"models": ["sasrec", "SASRec.yaml"]},
            "models: sasrec and SASRec are both named 'SASRec'",
        ),
        (
            {"external": {e: {"name": "EASE", "files": {"beauty": ["a.csv"]}} for e in "ab"}},
            "external: a and b are both named 'EASE (not trained here)'",
        ),
        (
            {
                "industrial": {
                    "use": ["ml-100k", "kuairand-pure"],
                    "datasets": {"kuairand-pure": {"name": "ML-100K"}},
                }
            },
            "industrial.use: ml-100k and kuairand-pure are both named 'ML-100K'",
        ),
    ],
)
def test_two_of_one_name_could_not_be_told_apart(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    for name in ("sasrec", "SASRec"):
        (tmp_path / f"{name}.yaml").write_text("base: popularity\n")
    assert message in refusal(load_config, [write(tmp_path, content)])


def test_a_model_is_called_in_a_run_as_in_tables(tmp_path):
    (tmp_path / "own.yaml").write_text("base: sasrec\n")
    config = load_config([write(tmp_path, {"models": [str(tmp_path / "own.yaml")]})])
    assert registry.resolve(config, "own", "beauty").name == config.model_name("own") == "own"


def test_a_record_is_looked_for_in_the_working_directory_and_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nightly = ROOT / "workflow" / "config" / "nightly-cpu.yaml"
    assert load_config().recorded == ROOT / "results" / "recorded"
    assert load_config([nightly]).recorded == ROOT / "results" / "recorded" / "nightly-cpu"
    (tmp_path / "own.yaml").write_text("recorded: records/mine\n")
    assert load_config(["own.yaml"]).recorded == Path("records/mine")  # to be made here
    (tmp_path / "results" / "recorded").mkdir(parents=True)
    assert load_config().recorded == Path("results/recorded")


@pytest.mark.parametrize("entry", ["models: [mine.yaml]\n", "models: [a/mine.yaml]\n"])
def test_a_relative_path_that_is_not_there_says_what_it_is_relative_to(
    tmp_path, monkeypatch, entry
):
    (folder := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(folder)
    (tmp_path / "own.yaml").write_text(entry)
    for path, name in ((tmp_path / "own.yaml", "mine.yaml"), (Path("no.yaml"), "no.yaml")):
        with pytest.raises(InputError) as caught:
            load_config([path])
        assert f"{name}: no such file (relative to the working directory {folder})" in str(
            caught.value
        )
