"""Checked reading of JSON records: each wrong key is one line that names file and key."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from elcrec.errors import InputError


@dataclass(frozen=True)
class JsonObject:
    """An object of a JSON file, and where in the file it stands."""

    path: Path
    values: dict[str, Any]
    prefix: str = ""

    @classmethod
    def read(cls, path: Path) -> JsonObject:
        """Read the object in `path`.

        Raises:
            InputError: The file is missing, cut off, or not an object.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise InputError(f"{path}: is not whole JSON ({error})") from None
        if not isinstance(values, dict):
            raise InputError(f"{path}: must be a JSON object")
        return cls(path, values)

    def section(self, key: str) -> JsonObject:
        """Return the object under `key`."""
        value = self._get(key)
        if not isinstance(value, dict):
            self._refuse(key, value, "an object")
        return JsonObject(self.path, value, f"{self.prefix}{key}.")

    def text(self, key: str) -> str:
        """Return the non-empty text under `key`."""
        value = self._get(key)
        if not isinstance(value, str) or not value:
            self._refuse(key, value, "a text")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false under `key`."""
        value = self._get(key)
        if not isinstance(value, bool):
            self._refuse(key, value, "true or false")
        return value

    def integer(self, key: str, least: int = 0) -> int:
        """Return the integer under `key`, at least `least`."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self._refuse(key, value, f"an integer of at least {least}")
        return value

    def number(self, key: str) -> float:
        """Return the finite number of at least 0 under `key`."""
        value = self._get(key)
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or not math.isfinite(value) or value < 0:
            self._refuse(key, value, "a number of at least 0")
        return float(value)

    def optional_text(self, key: str) -> str | None:
        """Return the text or null under `key`."""
        return None if self._get(key) is None else self.text(key)

    def optional_integer(self, key: str) -> int | None:
        """Return the integer of at least 0 or null under `key`."""
        return None if self._get(key) is None else self.integer(key)

    def expect(self, key: str, value: Any) -> None:
        """Raise `InputError` unless `key` holds exactly `value`."""
        if self._get(key) != value:
            self._refuse(key, self._get(key), repr(value))

    def _get(self, key: str) -> Any:
        if key not in self.values:
            raise InputError(f"{self.path}: key '{self.prefix}{key}' is missing")
        return self.values[key]

    def _refuse(self, key: str, value: Any, allowed: str) -> NoReturn:
        raise InputError(f"{self.path}: {self.prefix}{key} is {value!r}; allowed: {allowed}")
