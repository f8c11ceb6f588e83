"""Records of published weights and of tried points: what is refused, and in which words."""

import json

import pytest

from elcrec.errors import InputError
from elcrec.files.jsonfile import read_json
from elcrec.runs.records import ReleasedRecord, TriedPoint
from tests.fuzz import folders


def read(tmp_path, kind, record):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record))
    return read_json(path, kind)


def test_a_record_of_before_more_was_recorded(tmp_path):
    kept = {k: folders.released()[k] for k in ("dataset", "model", "file", "metrics")}
    record = read(tmp_path, ReleasedRecord, kept)
    assert (record.intents, record.commit, record.device, record.command) == (
        *(None, None, "not recorded", []),
    )


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (ReleasedRecord, {"model": "sasrec"}, "model: must be one of elcrec, iclrec"),
        (ReleasedRecord, {"metrics": {"test": {}}}, "metrics.test: the key 'HR@5' is missing"),
        (TriedPoint, {"point": {"a b": 1}}, "the name must be the name of a setting"),
        (TriedPoint, {"point": {"a": [1]}}, "point.a: must be true or false or an integer"),
        (TriedPoint, {"select_by": "loss"}, "select_by: must be one of HR@5"),
        (TriedPoint, {"valid": {"HR@5": 0.5}}, "valid: the key 'HR@20' is missing"),
        (TriedPoint, {"seconds": -1}, "seconds: must be a number, 0 or more"),
    ],
)
def test_a_wrong_record_is_one_line(tmp_path, kind, change, message):
    good = folders.released() if kind is ReleasedRecord else folders.grid()
    read(tmp_path, kind, good)
    with pytest.raises(InputError) as caught:
        read(tmp_path, kind, good | change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_score_must_be_among_the_metrics(tmp_path):
    good = folders.grid()
    valid = {k: v for k, v in good["valid"].items() if k != "NDCG@10"}
    with pytest.raises(InputError, match=r"valid has no NDCG@10, which select_by names"):
        read(tmp_path, TriedPoint, good | {"select_by": "NDCG@10", "valid": valid})
