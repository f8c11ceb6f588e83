"""Ways to damage a file, as hypothesis strategies: of bytes, of JSON trees, of tables."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import math
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import yaml
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

WRONG_NUMBERS = (-1, 0, 1, 5, 2**31, 2**53, 2**63, 2**64, 10**400, -(10**400), True, False)
WRONG_NUMBERS += (0.5, -0.5, -0.0, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf)
WRONG_TEXTS = (
    "",
    " ",
    "x",
    "plain",
    "../../etc/passwd",
    "/",
    "a\nb",
    "\0",
    "\ud800",
    "é",
    "9" * 400,
)
WRONG_TEXTS += ("nan", "inf", "-1", "1e999", "1_000", "٣", "=1+1", "x" * 5000)
WRONG_TREES = (None, [], {}, [[]], [None], {"a": 1}, [1, "x"], [1.5, 2.5], {"total": {}}, [{}])
WRONG_VALUES = (*WRONG_NUMBERS, *WRONG_TEXTS, *WRONG_TREES)
"""What may stand in the place of a value."""

WRONG_FIELDS = ("", "nan", "inf", "-inf", "-1", "0", "1e999", "1e308", "x", "é", "1,2", '"', "\0")
WRONG_FIELDS += ("9" * 400, "x" * 140_000, "../..", " 1 ", "0x10", "1_0", "True", "٣")
WRONG_WHOLE = (b"", b"\n", b"\0" * 64, b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04", b"{" * 60_000)
WRONG_WHOLE += (b"[" * 60_000, b"null", b"[]", b"{}", b"<html>log in</html>", b"x" * 200_000)
WRONG_WHOLE += (b"a: b: c", b"9" * 5000, b"\x80\x02]q\x00.", b'{"a": 1e999}')
"""What may stand in the place of a whole file."""


def damaged_file(content: bytes, suffix: str) -> st.SearchStrategy[bytes]:
    """A file with this content after changes that suit its kind, or of its bytes."""
    if suffix == ".json":
        return damaged_json(json.loads(content))
    if suffix == ".csv":
        return damaged_csv(content.decode())
    if suffix == ".npz":
        with np.load(io.BytesIO(content)) as archive:
            return damaged_arrays({name: archive[name] for name in archive.files})
    if suffix == ".yaml":
        trees = damaged_tree(yaml.safe_load(content))
        return trees.map(lambda tree: yaml.safe_dump(tree).encode()) | damaged_bytes(content)
    return damaged_bytes(content)


@st.composite
def damaged_bytes(draw: Draw, content: bytes) -> bytes:
    """`content` after one to three changes of its bytes or lines."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(st.sampled_from(_BYTE_CHANGES))(draw, content)
    return content


@st.composite
def damaged_json(draw: Draw, tree: Any) -> bytes:
    """The JSON text of `tree` after changes of its values, or, one time in four, of its bytes."""
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged_bytes(json.dumps(tree).encode()))
    return json.dumps(draw(damaged_tree(tree))).encode()


@st.composite
def damaged_tree(draw: Draw, tree: Any) -> Any:
    """A copy of `tree` with one or two values replaced, left out, renamed or repeated."""
    tree = {"": copy.deepcopy(tree)}
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(_paths(tree) or [("",)]))
        tree.setdefault("", None)
        parent = tree
        for key in path[:-1]:
            parent = parent[key]
        _change_value(draw, parent, path[-1])
    return tree.get("")


@st.composite
def damaged_csv(draw: Draw, text: str) -> bytes:
    """The table in `text` with fields, columns or rows changed, or its bytes."""
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged_bytes(text.encode()))
    rows = list(csv.reader(io.StringIO(text)))
    for _ in range(draw(st.integers(1, 2))):
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, max(0, len(rows[row]) - 1)))
        _change_table(draw, rows, row, column)
        rows = rows or [[""]]
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue().encode()


@st.composite
def damaged_lines(draw: Draw, content: bytes, separator: bytes) -> bytes:
    """Lines of separated fields with one or two fields changed, or the bytes."""
    if draw(st.booleans()):
        return draw(damaged_bytes(content))
    lines = [line.split(separator) for line in content.split(b"\n")]
    for _ in range(draw(st.integers(1, 2))):
        line = lines[draw(st.integers(0, len(lines) - 1))]
        place = draw(st.integers(0, len(line) - 1))
        wrong = draw(st.sampled_from(WRONG_FIELDS)).encode()
        if draw(st.booleans()):
            line[place] = wrong
        else:
            line.insert(place, wrong)
    return b"\n".join(separator.join(line) for line in lines)


@st.composite
def packed(draw: Draw, content: bytes, member: str) -> bytes:
    """`content` as it is, or gzip-compressed, or in a zip archive, perhaps damaged there."""
    kind = draw(st.sampled_from(("plain", "gzip", "zip")))
    if kind == "gzip":
        content = gzip.compress(content, mtime=0)
    elif kind == "zip":
        content = draw(zipped(member, content))
    return draw(damaged_bytes(content)) if draw(st.booleans()) else content


@st.composite
def zipped(draw: Draw, member: str, content: bytes) -> bytes:
    """A zip archive whose member may be missing, in a folder, there twice or outside."""
    folders = st.sampled_from(("", "", "folder/", "../", "/", "a/b/../../../", "x"))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", draw(st.sampled_from((0, 8, 12, 14)))) as archive:
        for _ in range(draw(st.integers(0, 2))):
            archive.writestr(zipfile.ZipInfo(draw(folders) + member), content)
        if draw(st.booleans()):
            archive.writestr(zipfile.ZipInfo(f"{member}/"), b"")
    return target.getvalue()


@st.composite
def damaged_arrays(draw: Draw, arrays: dict[str, np.ndarray]) -> bytes:
    """An .npz file of arrays one of which is another than it should be, or damaged as bytes."""
    arrays = dict(arrays)
    if draw(st.integers(0, 2)):
        for _ in range(draw(st.integers(1, 2))):
            _change_array(draw, arrays, draw(st.sampled_from(sorted(arrays))))
            arrays = arrays or {"none": np.zeros(1)}
        return npz(arrays)
    return draw(damaged_bytes(npz(arrays)))


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as `numpy.savez_compressed` writes them."""
    target = io.BytesIO()
    np.savez_compressed(target, allow_pickle=True, **arrays)
    return target.getvalue()


def _change_array(draw: Draw, arrays: dict[str, np.ndarray], name: str) -> None:
    array = arrays[name]
    if array.dtype.kind not in "iuf":  # changed before
        return
    change = draw(st.sampled_from(("drop", "rename", "type", "shape", "value", "object", "cut")))
    if change == "drop":
        del arrays[name]
    elif change == "rename":
        arrays[name + "x"] = arrays.pop(name)
    elif change == "type":
        kinds = ("f8", "f2", "i1", "u8", "c16", "?", "U3", "S3", "M8[s]", "V4", ">i4", ">f8")
        kind = draw(st.sampled_from(kinds))
        whole = np.nan_to_num(array).astype(np.int32)
        arrays[name] = np.zeros(array.shape, kind) if kind == "V4" else whole.astype(kind)
    elif change == "shape":
        shapes = [array[None], array.ravel(), array.T, array[..., None]]
        shapes += [array.ravel()[:1].reshape(())] if array.size else []
        arrays[name] = draw(st.sampled_from(shapes))
    elif change == "cut" and array.ndim:
        arrays[name] = array[: draw(st.integers(0, max(0, len(array) - 1)))]
    elif change == "object":
        arrays[name] = np.full(array.shape, {}, dtype=object)
    elif array.size:
        values = {"f": (-1, 127, 30_000, math.nan, math.inf), "i": (-1, 99, 120), "u": (99, 120)}
        place = draw(st.integers(0, array.size - 1))
        changed = array.copy()
        changed.flat[place] = draw(st.sampled_from(values[array.dtype.kind]))
        arrays[name] = changed


def _paths(tree: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a value in nested dictionaries and lists."""
    if isinstance(tree, dict):
        entries: list[tuple[Any, Any]] = list(tree.items())
    elif isinstance(tree, list):
        entries = list(enumerate(tree[:3]))
    else:
        return []
    found = [(*before, key) for key, _ in entries]
    return found + [p for key, value in entries for p in _paths(value, (*before, key))]


def _change_value(draw: Draw, parent: Any, key: Any) -> None:
    change = draw(st.sampled_from(("replace", "replace", "replace", "drop", "rename", "repeat")))
    if change == "drop":
        del parent[key]
    elif change == "rename" and isinstance(parent, dict):
        parent[f"{key}x"] = parent.pop(key)
    elif change == "repeat" and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    else:
        parent[key] = copy.deepcopy(draw(st.sampled_from(WRONG_VALUES)))


def _change_table(draw: Draw, rows: list[list[str]], row: int, column: int) -> None:
    change = draw(st.sampled_from(("field", "field", "field", "column", "row", "repeat", "extra")))
    if change == "row":
        del rows[row]
    elif change == "repeat":
        rows.insert(row, list(rows[row]))
    elif change == "extra":
        rows[row].append("1")
    elif change == "column":
        for line in rows:
            del line[column : column + 1]
    else:
        rows[row][column : column + 1] = [draw(st.sampled_from(WRONG_FIELDS))]


def _span(draw: Draw, content: bytes) -> tuple[int, int]:
    start = draw(st.integers(0, len(content)))
    return start, min(len(content), start + draw(st.sampled_from((1, 2, 7, 64, 512))))


def _flip(draw: Draw, content: bytes) -> bytes:
    start, end = _span(draw, content)
    mask = draw(st.integers(1, 255))
    return content[:start] + bytes(b ^ mask for b in content[start:end]) + content[end:]


def _delete(draw: Draw, content: bytes) -> bytes:
    start, end = _span(draw, content)
    return content[:start] + content[end:]


def _insert(draw: Draw, content: bytes) -> bytes:
    start, _ = _span(draw, content)
    pieces = (b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\n\n", b" ", b"\t", b",", b'"', b"-")
    pieces += (b"0", b"9" * 400, b".5", b"nan", b"[" * 3000, b"\xed\xa0\x80", b"\x85", b"\x1c")
    return content[:start] + draw(st.sampled_from(pieces)) + content[start:]


def _truncate(draw: Draw, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def _duplicate(draw: Draw, content: bytes) -> bytes:
    start, end = _span(draw, content)
    return content[:end] + content[start:]


def _swap_lines(draw: Draw, content: bytes) -> bytes:
    lines = content.split(b"\n")
    first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _zero(draw: Draw, content: bytes) -> bytes:
    start, end = _span(draw, content)
    return content[:start] + bytes(end - start) + content[end:]


def _whole(draw: Draw, content: bytes) -> bytes:
    others = (content.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + content, content * 2)
    others += (content.replace(b"\n", b" "), gzip.compress(content, mtime=0))
    others += (content.decode("latin-1").encode("utf-16"),)
    return draw(st.sampled_from((*WRONG_WHOLE, *others)))


_BYTE_CHANGES = (_flip, _delete, _insert, _truncate, _duplicate, _swap_lines, _zero, _whole)
