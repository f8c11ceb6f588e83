"""A byte-order mark, as editors on Windows write it, changes nothing in any file that is read."""

import gzip
import json

import pytest

from elcrec import ROOT
from elcrec.config.config import load_config
from elcrec.data.formats import read_interactions
from elcrec.data.ids import read_ids, write_ids
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.external.predictions import read_predictions
from elcrec.files.csvfile import read_csv
from elcrec.files.jsonfile import read_object
from elcrec.files.yamlfile import read_yaml
from elcrec.inference.histories import read_histories, read_users
from elcrec.runs.fingerprint import code_hash, fingerprint
from tests.unit.data.test_prepare import ROWS, WRITERS

MARK = "\ufeff".encode()


def same(path, content, read):
    """What is read of a file without the mark and with it."""
    path.write_bytes(content)
    plain = read(path)
    path.write_bytes(MARK + content)
    return plain, read(path)


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("a.yaml", b"models: [sasrec]\nuse: [beauty]\n", read_yaml),
        ("a.yaml", b"models: [sasrec]\n", lambda path: load_config([path]).models),
        ("a.json", b'{"a": 1}', read_object),
        ("a.csv", b"epoch,loss\n1,2\n", read_csv),
        ("a.csv", b"# a comment\nepoch,loss\n1,2\n", read_csv),
        ("a.csv", b"user,item,score\nu,i,1\n", lambda p: read_predictions(p)[0].to_dict("list")),
        ("a.run", b"u q0 i 1 2.5 tag\n", lambda p: read_predictions(p)[0].to_dict("list")),
        ("a.txt", b"anna 1 2 3 4\n", lambda path: read_sequences(path).users),
    ],
)
def test_files(tmp_path, name, content, read):
    plain, marked = same(tmp_path / name, content, read)
    assert plain == marked


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("format", sorted(WRITERS.keys() - {"sequences"}))
def test_raw_formats(tmp_path, format, packed):
    content = WRITERS[format](ROWS)
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    path = tmp_path / "raw"
    path.write_bytes(content)
    plain = read_interactions(path, format)
    path.write_bytes(gzip.compress(MARK + content) if packed else MARK + content)
    assert read_interactions(path, format).equals(plain)
    assert "u0" in set(plain["user"])


def predicted(path):
    return list(read_predictions(path)[0]["user"])


@pytest.mark.parametrize(
    ("name", "header", "lines", "read"),
    [
        ("a.txt", b"", [b"anna 1 2 3 4\n", b"ben 4 3 2 1\n"], lambda p: read_sequences(p).users),
        ("a.txt", b"", [b"anna\n", b"ben\n"], read_users),
        ("a.txt", b"", [b"anna 1\n", b"ben 1\n"], lambda p: next(read_histories(p)[1]).users),
        ("a.run", b"", [b"u q0 i 1 2.5 t\n", b"v q0 i 1 2.5 t\n"], predicted),
        ("a.csv", b"user,item,score\n", [b"u,i,1\n", b"v,i,1\n"], predicted),
    ],
)
def test_files_that_were_put_together_have_one_inside(tmp_path, name, header, lines, read):
    path = tmp_path / name
    path.write_bytes(header + b"".join(lines))
    plain = read(path)
    path.write_bytes(MARK + header + MARK.join(lines))
    assert read(path) == plain


def test_a_user_is_the_same_with_a_mark_before(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"anna 1\n" + MARK + b"anna 2\n")
    with pytest.raises(InputError, match="line 2: user 'anna' is already on line 1"):
        read_histories(tmp_path / "a.txt")


def test_the_code_of_a_model_of_ones_own(tmp_path):
    code = (ROOT / "baselines" / "popularity.py").read_bytes()
    plain, marked = same(
        tmp_path / "mine.py", code, lambda p: (fingerprint(str(p)), code_hash(str(p)))
    )
    assert plain == marked


def test_ids(tmp_path):
    (tmp_path / "mine.txt").write_text("anna a b c d\n")
    write_ids(tmp_path, read_sequences(tmp_path / "mine.txt"))
    for name in ("users.csv", "items.csv"):
        (tmp_path / name).write_bytes(MARK + (tmp_path / name).read_bytes())
    assert read_ids(tmp_path).users == ["anna"]


@pytest.mark.parametrize("read", [read_yaml, read_object, read_csv, read_sequences])
def test_another_encoding_is_refused(tmp_path, read):
    path = tmp_path / "a.txt"
    path.write_bytes(json.dumps({"a": [1, 2, 3, 4]}).encode("utf-16"))
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
