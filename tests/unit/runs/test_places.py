"""Where runs are read: below the output, or in the record of one machine."""

import json

import pytest

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.runs.places import json_files, run_folder, sensitivity_folder, source


@pytest.fixture
def record(tmp_path):
    """A record of two machines, and a function that puts a run or a measurement there."""

    def put(machine, *place, device="cpu: one (2 threads)"):
        path = tmp_path.joinpath("record", machine, *place)
        if path.suffix == ".json":
            path.parent.mkdir(parents=True, exist_ok=True)
        else:
            path.mkdir(parents=True)
            path /= "metrics.json"
        path.write_text(json.dumps({"device": device}))

    put("a-cpu", "runs", "toys", "popularity", "1")
    put("b-gpu", "runs", "toys", "popularity", "1")
    return put


@pytest.fixture
def config(tmp_path):
    return load_config().replaced(seeds=[1, 2], runs="recorded", recorded=tmp_path / "record")


def machine_of(config, *place):
    return source(config, *place).name


def test_trained_runs_lie_below_the_output(config):
    config = config.replaced(runs="trained")
    folder = config.output / "runs" / "beauty" / "elcrec" / "1"
    assert (
        run_folder(config, "beauty", "elcrec", 1)
        == folder
        == config.run_folder("beauty", "elcrec", 1)
    )


def test_of_two_machines_one_gives_all_seeds_of_a_model(record, config):
    beauty = ("runs", "beauty")
    for machine in ("a-cpu", "b-gpu"):
        record(machine, *beauty, "sasrec", "1")
        device = "cuda: NVIDIA H200" if machine == "b-gpu" else "cpu: one (2 threads)"
        record(machine, *beauty, "elcrec", "1", device=device)
    record("b-gpu", *beauty, "iclrec", "1")
    record("b-gpu", *beauty, "iclrec", "2")
    record("a-cpu", *beauty, "iclrec", "1")
    record("a-cpu", *beauty, "iclrec", "7")  # no seed of the configuration
    record("a-cpu", *beauty, "iclrec", "8")
    assert machine_of(config, *beauty, "sasrec") == "a-cpu"  # as many: the first by name
    assert machine_of(config, *beauty, "elcrec") == "b-gpu"  # on a GPU
    assert machine_of(config, *beauty, "iclrec") == "b-gpu"  # two seeds
    expected = config.recorded / "b-gpu" / "runs" / "beauty" / "iclrec" / "2"
    assert run_folder(config, "beauty", "iclrec", 2) == expected


def test_runs_of_the_sensitivity_come_from_one_machine_too(record, config):
    record("b-gpu", "sensitivity", "beauty", "alpha-0.1", "1")
    expected = config.recorded / "b-gpu" / "sensitivity" / "beauty" / "alpha-0.1" / "1"
    assert sensitivity_folder(config, "beauty", "alpha-0.1", 1) == expected
    others = config.replaced(seeds=[2])  # those of Table 1; the figure's are its own
    assert sensitivity_folder(others, "beauty", "alpha-0.1", 1) == expected


def test_of_as_many_measurements_those_of_a_gpu_are_taken(record, config):
    record("a-cpu", "efficiency", "beauty", "elcrec.json")
    record("b-gpu", "efficiency", "beauty", "elcrec.json", device="cuda: NVIDIA H200")
    assert machine_of(config, "efficiency", "beauty") == "b-gpu"


def test_measurements_of_a_data_set_come_from_one_machine(record, config):
    record("a-cpu", "efficiency", "beauty", "elcrec.json")
    record("b-gpu", "efficiency", "toys", "iclrec.json")
    for model in ("elcrec", "iclrec"):
        (config.recorded / "b-gpu" / "efficiency" / "beauty").mkdir(exist_ok=True)
        (config.recorded / "b-gpu" / "efficiency" / "beauty" / f"{model}.json").write_text("{}")
    found = [path.relative_to(config.recorded) for path in json_files(config, "efficiency")]
    assert list(map(str, found)) == [
        "b-gpu/efficiency/beauty/elcrec.json",
        "b-gpu/efficiency/beauty/iclrec.json",
        "b-gpu/efficiency/toys/iclrec.json",
    ]


def test_an_empty_record_is_said(config):
    with pytest.raises(InputError, match="has no recorded runs; add some with: elcrec recor"):
        source(config, "runs", "beauty", "elcrec")
