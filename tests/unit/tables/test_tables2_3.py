import csv
import io
from math import isnan

import pytest
import yaml

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.files.jsonfile import read_json
from elcrec.paper import load_efficiency
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.tables import tables2_3
from elcrec.tables.layout import Names
from tests.unit.tables.conftest import load_efficiency_runs, load_runs

DATASETS = {"sports": "Sports", "beauty": "Beauty", "toys": "Toys", "yelp": "Yelp"}
MODELS = {"sasrec": "SASRec", "elcrec": "ELCRec", "iclrec": "ICLRec"}
CUDA = {
    "resident_bytes": 3_000_000_000,
    "cuda_allocated_bytes": 1_500_000_000,
    "cuda_reserved_bytes": 2_000_000_000,
}


def times(output, datasets=DATASETS, models=MODELS):
    records, _ = load_efficiency_runs(output.path, datasets, models)
    runs, _ = load_runs(output.path, datasets, models, [1, 2, 3])
    return tables2_3.time_frame(records, runs, Names(datasets, models), load_efficiency())


def memory(output, datasets=DATASETS, models=MODELS):
    records, _ = load_efficiency_runs(output.path, datasets, models)
    return tables2_3.memory_frame(records, Names(datasets, models), load_efficiency())


def row(frame, dataset, model):
    return next(r for r in frame.itertuples() if (r.dataset, r.model) == (dataset, model))


def write(output, datasets=DATASETS):
    """Write both tables as the command does; returns their Markdown."""
    config = output.path / "config.yaml"
    asked = {"models": ["sasrec", "elcrec", "iclrec"], "seed": 1, "epochs": 1}
    own = {"output": str(output.path), "use": list(datasets), "efficiency": asked}
    config.write_text(yaml.safe_dump(own))
    tables2_3.write(load_config([config]), output.path, any_code=True)
    return [(output.path / f"table{number}.md").read_text() for number in (2, 3)]


@pytest.fixture
def full(output):
    """Every model on every data set: 2 s per epoch, ELCRec 1 s; 3 epochs, ELCRec 3, 3 and 6."""
    for dataset in DATASETS:
        for model in MODELS:
            output.efficiency(dataset, model, seconds=1.0 if model == "elcrec" else 2.0)
            for seed in (1, 2, 3):
                folder = output.run(dataset, model, seed, epochs=6 if seed == 3 else 3)
                if seed == 3:
                    (folder / "history.csv").write_text("epoch\n1\n2\n3\n4\n5\n6\n")
    return output


def test_order_is_iclrec_elcrec_then_the_others():
    assert tables2_3.model_order(["sasrec", "elcrec", "x", "iclrec", "x"]) == [
        *["iclrec", "elcrec", "sasrec", "x"]
    ]
    assert tables2_3.model_order(["sasrec"]) == ["sasrec"]


def test_time_by_hand(full):
    rows = times(full)
    elcrec = row(rows, "beauty", "elcrec")
    assert (elcrec.seconds_per_epoch, elcrec.epochs, elcrec.training_runs) == (1.0, 4.0, 3)
    assert (elcrec.seconds_per_epoch_min, elcrec.seconds_per_epoch_max) == (0.9, 1.5)
    assert (elcrec.training_seconds, elcrec.validation_seconds) == (0.7, 0.2)
    assert elcrec.kmeans_seconds == 0.1
    assert elcrec.projected_training_seconds == 4.0
    assert elcrec.epoch_ratio == elcrec.projected_ratio == 0.5
    assert elcrec.paper_seconds == 2922
    assert elcrec.paper_ratio == pytest.approx(2922 / 3770)
    assert isnan(row(rows, "beauty", "sasrec").paper_seconds)
    assert row(rows, "beauty", "iclrec").projected_ratio == 1.0


def test_rows_end_with_the_averages(full):
    rows = times(full)
    names = list(zip(rows["dataset"], rows["model"], strict=True))
    order = ["iclrec", "elcrec", "sasrec"]
    assert names == [(d, m) for d in [*DATASETS, "average"] for m in order]
    average = row(rows, "average", "elcrec")
    assert average.seconds_per_epoch == 1.0
    assert average.training_runs == 12
    assert average.paper_seconds == pytest.approx(4139, abs=1)
    assert average.paper_ratio == pytest.approx(4139 / 4460, abs=1e-3)
    assert average.epoch_ratio == 0.5


def test_one_data_set_has_no_average(full):
    assert set(times(full, {"beauty": "Beauty"})["dataset"]) == {"beauty"}


def test_a_gap_is_a_row_and_leaves_no_average(full):
    (full.path / "efficiency" / "toys" / "elcrec.json").unlink()
    rows = times(full)
    toys = row(rows, "toys", "elcrec")
    assert isnan(toys.seconds_per_epoch)
    assert isnan(toys.epoch_ratio)
    assert (toys.epochs, toys.paper_seconds) == (4.0, 4124)
    assert isnan(row(rows, "average", "elcrec").seconds_per_epoch)
    assert row(rows, "average", "iclrec").seconds_per_epoch == 2.0
    assert isnan(row(memory(full), "toys", "elcrec").megabytes)
    _, gaps = load_efficiency_runs(full.path, DATASETS, MODELS)
    assert gaps == [("toys", "elcrec")]


def test_without_training_runs_there_is_no_projection(output):
    output.efficiency("beauty", "elcrec")
    elcrec = row(times(output, {"beauty": "Beauty"}), "beauty", "elcrec")
    assert elcrec.seconds_per_epoch == 2.0
    assert isnan(elcrec.epochs)
    assert isnan(elcrec.projected_training_seconds)


def test_phases_a_model_lacks_and_seconds_before_training(output):
    part = {"median": 1.0, "min": 1.0, "max": 1.0}
    output.efficiency("beauty", "sasrec", seconds_per_epoch={"total": part, "training": part})
    output.efficiency("beauty", "elcrec", seconds_before_training=1.25)
    rows = times(output, {"beauty": "Beauty"})
    assert isnan(row(rows, "beauty", "sasrec").kmeans_seconds)
    assert isnan(row(rows, "beauty", "sasrec").seconds_before_training)
    assert row(rows, "beauty", "elcrec").seconds_before_training == 1.25


def test_no_ratio_across_devices(output):
    output.efficiency("beauty", "iclrec")
    output.efficiency("beauty", "elcrec", device="cuda: X", device_kind="cuda", peak_memory=CUDA)
    for table, ratio in ((times, "epoch_ratio"), (memory, "ratio")):
        elcrec = row(table(output, {"beauty": "Beauty"}), "beauty", "elcrec")
        assert isnan(getattr(elcrec, ratio))
        assert elcrec.paper_ratio < 1


def test_averages_of_several_devices_have_no_device_and_no_ratio(output):
    for dataset, device in (("beauty", "cpu: a"), ("toys", "cpu: b")):
        for model in ("iclrec", "elcrec"):
            output.efficiency(dataset, model, device=device)
    rows = times(output, {"beauty": "Beauty", "toys": "Toys"})
    assert row(rows, "toys", "elcrec").epoch_ratio == 1.0
    assert row(rows, "average", "elcrec").device == ""
    assert isnan(row(rows, "average", "elcrec").epoch_ratio)


def test_memory_on_a_cpu_is_resident(full):
    elcrec = row(memory(full), "beauty", "elcrec")
    assert (elcrec.measured, elcrec.megabytes) == ("CPU resident", 500.0)
    assert isnan(elcrec.cuda_allocated_megabytes)
    assert elcrec.ratio == 1.0
    assert elcrec.paper_ratio == pytest.approx(1594 / 1798)


def test_memory_on_cuda_is_allocated(output):
    for model in ("iclrec", "elcrec"):
        output.efficiency("beauty", model, device="cuda: X", device_kind="cuda", peak_memory=CUDA)
    elcrec = row(memory(output, {"beauty": "Beauty"}), "beauty", "elcrec")
    assert (elcrec.measured, elcrec.megabytes) == ("CUDA allocated", 1500.0)
    assert (elcrec.cuda_reserved_megabytes, elcrec.resident_megabytes) == (2000.0, 3000.0)


def test_models_beyond_those_asked_for_are_shown(output):
    output.efficiency("beauty", "elcrec")
    output.efficiency("beauty", "mine")
    (output.path / "efficiency" / "beauty" / ".mine.partial.json").write_text("")
    records, gaps = load_efficiency_runs(output.path, ["beauty"], ["iclrec", "elcrec"])
    assert [r.model for r in records] == ["elcrec", "mine"]
    assert gaps == [("beauty", "iclrec")]


def test_csv_leaves_gaps_empty(output):
    output.efficiency("beauty", "elcrec")
    text = times(output, {"beauty": "Beauty"}).to_csv(index=False)
    parsed = list(csv.DictReader(io.StringIO(text)))
    assert [r["model"] for r in parsed] == ["iclrec", "elcrec", "sasrec"]
    assert (parsed[0]["seconds_per_epoch"], parsed[1]["seconds_per_epoch"]) == ("", "2.0")
    assert parsed[1]["epochs_measured"] == "5"


def test_markdown_of_both_tables(full):
    (full.path / "efficiency" / "yelp" / "sasrec.json").unlink()
    time, space = write(full)
    for words in (
        "# Table 2: training time",
        "0.90–1.50",
        "0.70 / 0.20 / 0.10",
        "4.0 (3)",
        "Projected s",
        "| Average | ELCRec |",
        "Measured epochs per run: 5.",
        "Missing measurement: SASRec on Yelp.",
        "unknown with changes",
    ):
        assert words in time
    for words in ("# Table 3: peak memory", "10^6 bytes", "A/B test", "CPU resident", "0.887"):
        assert words in space


def test_notes_on_the_training_runs(output):
    for model in ("iclrec", "elcrec"):
        output.efficiency("beauty", model)
    output.run("beauty", "iclrec", 1)
    output.run("beauty", "elcrec", 1, fingerprint="other")
    time, space = write(output, ["beauty"])
    notes = [line for line in time.splitlines() if "Warning" in line or "training run:" in line]
    assert notes == [
        "- Warning: ELCRec was measured with different code than it was trained with.",
        "- Missing training run: ICLRec on Beauty, seeds 2, 3.",
        "- Missing training run: ELCRec on Beauty, seeds 2, 3.",
        "- Missing training run: SASRec on Beauty, seeds 1, 2, 3.",
    ]
    assert "Warning" not in space


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 3}, "format: must be 1, got 3"),
        ({"device_kind": "tpu"}, "device_kind: must be one of cuda, cpu, got 'tpu'"),
        ({"device_kind": "cuda"}, "peak_memory has no CUDA figures"),
        ({"epochs_measured": 0}, "epochs_measured: must be an integer, 1 or more, got 0"),
        ({"seconds_per_epoch": {}}, "seconds_per_epoch: the key 'total' is missing"),
        (
            {"seconds_before_training": -1},
            "seconds_before_training: must be a number, 0 or more",
        ),
        (
            {"seconds_per_epoch": {"total": {"median": 3, "min": 1, "max": 2}}},
            "seconds_per_epoch.total: needs min <= median <= max",
        ),
    ],
)
def test_a_wrong_record_is_one_line(output, changes, words):
    path = output.efficiency("beauty", "elcrec", **changes)
    with pytest.raises(InputError) as caught:
        read_json(path, EfficiencyRecord)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_record_in_another_place(output):
    path = output.efficiency("beauty", "iclrec")
    path.rename(path.with_name("elcrec.json"))
    with pytest.raises(InputError, match="is for iclrec on beauty; in this place it must be for"):
        load_efficiency_runs(output.path, ["beauty"], [])
