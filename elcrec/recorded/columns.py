"""The columns of `runs.csv`: each holds one value of the records in a run folder."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from elcrec.data.sequences import SPLITS
from elcrec.errors import InputError, shown
from elcrec.evaluation.metrics import METRICS

Kind = Literal["text", "integer", "number", "flag", "object", "list"]
File = Literal["metrics", "environment"]
Empty = Literal["no", "null", "absent"]
Record = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column, and where its value stands in `metrics.json` or `environment.json`."""

    name: str
    kind: Kind
    file: File
    path: tuple[str, ...]
    empty: Empty = "no"
    """What an empty field stands for: nothing may be missing, null, or a key that is not there."""

    def take(self, files: Mapping[str, Record]) -> object:
        """The value for the field, from the records."""
        node: Any = files[self.file]
        for key in self.path:
            if not isinstance(node, dict) or key not in node:
                return None
            node = node[key]
        if self.kind == "flag":
            return str(node).lower()
        encoded = self.kind in ("object", "list") and node is not None
        return json.dumps(node) if encoded else node

    def put(self, text: str, files: Mapping[str, Record], where: str) -> None:
        """Put the value of a field where it came from.

        Raises:
            InputError: It is of another kind; the message begins with `where`.
        """
        value = None if text == "" else _value(text, self.kind)
        if value is None and (text or self.empty == "no"):
            raise InputError(
                f"{where}: {self.name} is {shown(text)}; allowed: {ALLOWED[self.kind]}"
            )
        if value is None and self.empty == "absent":
            return
        node = files[self.file]
        for key in self.path[:-1]:
            node = node.setdefault(key, {})
        node[self.path[-1]] = value


ALLOWED = {
    "text": "a text",
    "integer": "a whole number from 0",
    "number": "a number from 0",
    "flag": "true or false",
    "object": "an object in JSON",
    "list": "a list in JSON",
}


def _value(text: str, kind: Kind) -> Any:
    """The value that a text stands for, None for none of this kind."""
    if kind == "text":
        return text
    if kind == "flag":
        return {"true": True, "false": False}.get(text)
    try:
        if kind == "integer":
            return int(text) if text.isascii() and text.isdigit() else None
        if kind == "number":
            return value if math.isfinite(value := float(text)) and value >= 0 else None
        read = json.loads(text)
        return read if isinstance(read, dict if kind == "object" else list) else None
    except (ValueError, RecursionError):
        return None


def _plain(file: File, kind: Kind, names: str) -> list[Column]:
    return [Column(name, kind, file, (name,)) for name in names.split()]


def _inside(
    section: str, prefix: str, names: Iterable[str], kind: Kind, empty: Empty
) -> list[Column]:
    return [Column(f"{prefix}{name}", kind, "metrics", (section, name), empty) for name in names]


IDENTITY = ("dataset", "model", "variant", "seed")
"""Columns that tell the runs of a file apart; `variant`: what a run of the sensitivity changes."""

COLUMNS: tuple[Column, ...] = (
    *_plain("metrics", "text", "dataset model"),
    *_plain("metrics", "integer", "seed"),
    *_plain("metrics", "text", "protocol ranked_by"),
    *_plain("metrics", "integer", "users parameters best_epoch epochs"),
    *(
        Column(f"{split}_{metric}", "number", "metrics", ("metrics", split, metric), "absent")
        for split in SPLITS
        for metric in METRICS
    ),
    *_inside("seconds", "seconds_", ("total", "training", "validation", "kmeans"), "number", "no"),
    *_inside("seconds", "seconds_", ("test", "intents"), "number", "absent"),
    *_inside("peak_memory", "peak_", ("resident_bytes",), "integer", "no"),
    *_inside("peak_memory", "peak_", ("cuda_allocated_bytes",), "integer", "null"),
    *_inside("peak_memory", "peak_", ("cuda_reserved_bytes",), "integer", "null"),
    *_plain("metrics", "text", "device kernels"),
    *_plain("metrics", "flag", "graphs"),
    *_plain("metrics", "text", "precision"),
    *_plain("metrics", "integer", "at_once"),
    Column("driver", "text", "environment", ("driver",), "null"),
    Column("cuda", "text", "environment", ("cuda",), "null"),
    *_plain("environment", "integer", "threads cores memory_bytes"),
    *_plain("environment", "number", "host_load"),
    *_plain("environment", "text", "system python"),
    *_plain("environment", "object", "versions"),
    *_plain("metrics", "text", "commit fingerprint settings data"),
    Column("start", "object", "metrics", ("start",), "null"),
    Column("resumed_after", "list", "metrics", ("resumed_after",)),
)
"""After `variant`, and before `command` and `config`, which need more than copying."""

COMPUTED = frozenset(c.name for c in COLUMNS if c.path[0] == "metrics")
"""Columns that a file may lack, as a metric is computed from the ranks where it is not recorded."""

HEADER = (
    *(c.name for c in COLUMNS[:2]),
    "variant",
    *(c.name for c in COLUMNS[2:]),
    "command",
    "config",
)
