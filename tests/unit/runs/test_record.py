import json
import re

import numpy as np
import pytest
from pydantic import ValidationError

from elcrec.errors import InputError
from elcrec.evaluation.metrics import METRICS, summarise
from elcrec.runs.record import load_run


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(folder, *words):
    """The one line of the refusal; it must hold these words."""
    with pytest.raises(InputError) as caught:
        load_run(folder)
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line
    return line


def test_a_whole_run(output):
    folder = output.run("beauty", "elcrec", 2, test=[0, 1, 7], valid=[3, 4, 5])
    record = load_run(folder)
    assert (record.dataset, record.model, record.seed) == ("beauty", "elcrec", 2)
    assert record.metrics["test"] == summarise([0, 1, 7])
    assert record.metrics["valid"] == summarise([3, 4, 5])
    np.testing.assert_array_equal(record.ranks["test"], [0, 1, 7])
    assert (record.users, record.epochs, record.best_epoch) == (3, 3, 2)
    assert record.peak_memory.resident == 500_000_000
    assert record.peak_memory.cuda_allocated is None
    with pytest.raises(ValidationError, match="frozen"):
        record.seed = 3


def test_cuda_memory_and_unknown_commit(output):
    memory = {"resident_bytes": 1, "cuda_allocated_bytes": 2, "cuda_reserved_bytes": 3}
    record = load_run(output.run("beauty", "elcrec", peak_memory=memory, commit=None))
    found = record.peak_memory
    assert (found.resident, found.cuda_allocated, found.cuda_reserved) == (1, 2, 3)
    assert record.commit is None


@pytest.mark.parametrize(
    "name", ["metrics.json", "ranks.npz", "history.csv", "config.yaml", "environment.json"]
)
def test_a_missing_or_empty_file(output, name):
    folder = output.run("beauty", "elcrec")
    (folder / name).write_bytes(b"")
    refused(folder, str(folder / name), "missing or empty")
    (folder / name).unlink()
    refused(folder, str(folder / name), "missing or empty")


def test_metrics_cut_off(output):
    folder = output.run("beauty", "elcrec")
    text = (folder / "metrics.json").read_text()
    (folder / "metrics.json").write_text(text[:100])
    refused(folder, str(folder / "metrics.json"), "not valid JSON")


def test_metrics_not_an_object(output):
    folder = output.run("beauty", "elcrec")
    (folder / "metrics.json").write_text("[1]")
    refused(folder, "must be a JSON object")


@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize("name", METRICS)
def test_metrics_that_disagree_with_the_ranks(output, split, name):
    folder = output.run("beauty", "elcrec")
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    metrics[split][name] += 1e-6
    edit(folder / "metrics.json", metrics=metrics)
    refused(folder, "metrics.json", f"metrics.{split}.{name}", "ranks.npz gives")


def test_rounding_is_no_disagreement(output):
    folder = output.run("beauty", "elcrec")
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    metrics["test"]["NDCG@5"] += 1e-12
    edit(folder / "metrics.json", metrics=metrics)
    load_run(folder)


@pytest.mark.parametrize("size", [10, 100, -1])
def test_ranks_cut_off(output, size):
    folder = output.run("beauty", "elcrec")
    content = (folder / "ranks.npz").read_bytes()
    (folder / "ranks.npz").write_bytes(content[:size])
    refused(folder, str(folder / "ranks.npz"), "not a complete .npz file")


def test_ranks_with_a_flipped_byte(output):
    folder = output.run("beauty", "elcrec", test=np.arange(500) % 77)
    content = bytearray((folder / "ranks.npz").read_bytes())
    content[len(content) // 3] ^= 0xFF
    (folder / "ranks.npz").write_bytes(bytes(content))
    refused(folder, str(folder / "ranks.npz"))


def test_ranks_of_a_single_array_file(output):
    folder = output.run("beauty", "elcrec")
    with (folder / "ranks.npz").open("wb") as file:
        np.save(file, np.arange(4))
    refused(folder, str(folder / "ranks.npz"), "not a complete .npz file")


@pytest.mark.parametrize("test", [[0, 1, 2], [0.0, 1.0, 2.0, 3.0], [[0, 1], [2, 3]], [0, 1, 2, -1]])
def test_ranks_of_another_kind(output, test):
    folder = output.run("beauty", "elcrec", test=[0, 1, 2, 3])
    np.savez(folder / "ranks.npz", valid=np.arange(4), test=np.array(test))
    refused(folder, str(folder / "ranks.npz"), "test is", "each of the 4 users")


def test_ranks_without_a_split(output):
    folder = output.run("beauty", "elcrec")
    np.savez(folder / "ranks.npz", test=np.arange(4))
    refused(folder, str(folder / "ranks.npz"), "valid and test")


def test_history_of_another_length(output):
    folder = output.run("beauty", "elcrec", epochs=7)
    refused(folder, "history.csv", "3 epochs", "says 7")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, ["format: must be 1", "got 2"]),
        ({"seed": "1"}, ["seed: must be an integer", "got '1'"]),
        ({"seed": True}, ["seed: must be an integer", "got true"]),
        ({"users": 0}, ["users: must be an integer, 1 or more", "got 0"]),
        ({"dirty": "no"}, ["dirty: must be true or false", "got 'no'"]),
        ({"device": ""}, ["device: must be a text", "got ''"]),
        ({"commit": 5}, ["commit: must be a text", "got 5"]),
        ({"seconds": 5}, ["seconds: must be a mapping", "got 5"]),
        ({"seconds": {"total": -1}}, ["seconds.total: must be a number, 0 or more", "got -1"]),
        ({"metrics": {"valid": {}}}, ["metrics: the key 'test' is missing"]),
        ({"kernels": "other"}, ["kernels: must be plain, or native and a hash", "got 'other'"]),
        ({"best_epoch": 4}, ["best_epoch is 4; allowed: 0 to 3"]),
    ],
)
def test_a_wrong_key_is_named_with_what_is_allowed(output, changes, words):
    refused(output.run("beauty", "elcrec", **changes), "metrics.json", *words)


def test_a_number_that_is_not_finite(output):
    folder = output.run("beauty", "elcrec")
    text = (folder / "metrics.json").read_text()
    (folder / "metrics.json").write_text(re.sub(r'"HR@5": [\d.]+', '"HR@5": NaN', text))
    refused(folder, "metrics.valid.HR@5: must be a number from 0 to 1, got .nan")


def test_metrics_that_are_not_recorded_come_from_the_ranks(output):
    folder = output.run("beauty", "elcrec", test=[0, 1, 7], valid=[3, 4, 5])
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    del metrics["test"]["HR@10"], metrics["test"]["NDCG@20"]
    edit(folder / "metrics.json", metrics=metrics | {"valid": {"Half@20": 0.5}})
    record = load_run(folder)
    assert record.metrics == {"test": summarise([0, 1, 7]), "valid": summarise([3, 4, 5])}
    metrics["test"]["HR@5"] += 1e-6
    edit(folder / "metrics.json", metrics=metrics)
    refused(folder, "metrics.test.HR@5", "ranks.npz gives")


def test_metrics_of_a_trusted_record_are_taken_as_they_are(output):
    folder = output.run("beauty", "elcrec")
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    metrics["test"]["HR@5"] = 0.25
    edit(folder / "metrics.json", metrics=metrics)
    assert load_run(folder, trusted=True).metrics["test"]["HR@5"] == 0.25
    refused(folder, "metrics.test.HR@5", "ranks.npz gives")
