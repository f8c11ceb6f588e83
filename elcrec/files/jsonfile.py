"""JSON records, read with checks: each error is one line that names file and key."""

import json
from pathlib import Path
from typing import Any, TypeVar

from elcrec.errors import InputError, shown
from elcrec.files.checked import Record, check, in_file

R = TypeVar("R", bound=Record)


def read_json(path: Path, kind: type[R]) -> R:
    """Read the object in `path` as a record.

    Raises:
        InputError: As `read_object`, or a key is missing or has a value that does not fit.
    """
    return as_record(read_object(path), kind, path)


def as_record(values: dict[str, Any], kind: type[R], path: Path) -> R:
    """The same for values that were read from `path` before."""
    record: R = check(kind, values, in_file(path))
    return record


def read_object(path: Path) -> dict[str, Any]:
    """Read the object in `path`, whatever its keys.

    Raises:
        InputError: The file is missing, cut off, not an object, or has a key twice.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_unique_keys)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply to be a record") from None
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error})") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: must be a JSON object")
    return values


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; ValueError for a repeated key, of which readers use the first or the last."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in values if keys.count(key) > 1)
        raise ValueError(f"key {shown(repeated)} appears twice")
    return values
