"""Checked reading of JSON records: each wrong key is one line that names file and key.

`read_json` reads into a model; `JsonObject` reads key by key, for readers that have none yet.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from elcrec.errors import InputError, in_line, shown
from elcrec.files.checked import LARGEST as LARGEST
from elcrec.files.checked import Record, check, in_file
from elcrec.files.paths import UNFIT

R = TypeVar("R", bound=Record)


def read_json(path: Path, kind: type[R]) -> R:
    """Read the object in `path` as a record.

    Raises:
        InputError: As `read_object`, or a key is missing or has a value that does not fit.
    """
    return as_record(read_object(path), kind, path)


def as_record(values: dict[str, Any], kind: type[R], path: Path) -> R:
    """The same of what was read from `path` before."""
    record: R = check(kind, values, in_file(path))
    return record


def read_object(path: Path) -> dict[str, Any]:
    """Read the object in `path`, whatever its keys.

    Raises:
        InputError: The file is missing, cut off, not an object, or has a key twice.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply to be a record") from None
    except ValueError as error:
        raise InputError(f"{path}: is not whole JSON ({error})") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: must be a JSON object")
    return values


@dataclass(frozen=True)
class JsonObject:
    """An object of a JSON file, and where in the file it stands."""

    path: Path
    values: dict[str, Any]
    prefix: str = ""

    @classmethod
    def read(cls, path: Path) -> JsonObject:
        """Read the object in `path`; as `read_object`."""
        return cls(path, read_object(path))

    def section(self, key: str) -> JsonObject:
        """Return the object under `key`."""
        value = self._get(key)
        if not isinstance(value, dict):
            self.refuse(key, "an object")
        return JsonObject(self.path, value, f"{self.prefix}{key}.")

    def text(self, key: str) -> str:
        """Return the non-empty text of one line under `key`."""
        value: str = self._get(key)
        if not _is_text(value) or not value.strip():
            self.refuse(key, "a text of one line")
        return value

    def one_of(self, key: str, allowed: Collection[str]) -> str:
        """Return the text under `key`, one of `allowed`."""
        if self._get(key) not in list(allowed):
            self.refuse(key, ", ".join(map(shown, allowed)))
        return self.text(key)

    def texts(self, key: str) -> list[str]:
        """Return the list of texts under `key`; it may be empty."""
        values = self._get(key)
        if not isinstance(values, list) or not all(map(_is_text, values)):
            self.refuse(key, "a list of texts")
        return list(values)

    def flag(self, key: str) -> bool:
        """Return true or false under `key`."""
        value = self._get(key)
        if not isinstance(value, bool):
            self.refuse(key, "true or false")
        return value

    def integer(self, key: str, least: int = 0) -> int:
        """Return the integer under `key`, from `least` to `LARGEST`."""
        value = self._get(key)
        if type(value) is not int or not least <= value <= LARGEST:
            self.refuse(key, f"an integer of at least {least}")
        return value

    def number(self, key: str, least: float = 0, most: float = LARGEST) -> float:
        """Return the number from `least` to `most` under `key`."""
        value = self._get(key)
        if type(value) not in (int, float) or not max(least, -LARGEST) <= value <= most:
            upper = f" and at most {most:g}" if most < LARGEST else ""
            self.refuse(key, f"a number of at least {least:g}{upper}")
        return float(value)

    def optional_text(self, key: str) -> str | None:
        """Return the text or null under `key`."""
        return None if self._get(key) is None else self.text(key)

    def _get(self, key: str) -> Any:
        if key not in self.values:
            raise InputError(f"{self.path}: key '{self._name(key)}' is missing")
        return self.values[key]

    def refuse(self, key: str, allowed: str) -> NoReturn:
        """Raise `InputError` about the value under `key`."""
        found = shown(self._get(key))
        raise InputError(f"{self.path}: {self._name(key)} is {found}; allowed: {allowed}")

    def _name(self, key: str) -> str:
        """The key with those above it, in a form that can be printed in a line."""
        return in_line(f"{self.prefix}{key}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not UNFIT.search(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; ValueError for one with a key twice, of which readers take either."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in values if keys.count(key) > 1)
        raise ValueError(f"key {shown(twice)} stands twice")
    return values
