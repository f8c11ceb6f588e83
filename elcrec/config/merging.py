"""Mappings merged one over the other, and which of them a value came from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elcrec.errors import dotted
from elcrec.files.checked import has


@dataclass(frozen=True)
class Layers:
    """Sources (a file, or an option of a command) with their values; the last one wins."""

    parts: tuple[tuple[Path | str, Mapping[str, Any]], ...] = ()

    def merged(self) -> dict[str, Any]:
        """All of them, merged key by key."""
        result: dict[str, Any] = {}
        for _, values in self.parts:
            result = merge(result, values)
        return result

    def has(self, *path: str | int) -> bool:
        """Whether any of them has the key."""
        return bool(self._sources_with(path))

    def where(self, *path: str | int) -> str:
        """`FILE: KEY` for a message: the last source that has the key, or else the last of all."""
        sources = self._sources_with(path) or [source for source, _ in self.parts]
        return ": ".join([*map(str, sources[-1:]), dotted(path)])

    def _sources_with(self, path: Iterable[str | int]) -> list[Path | str]:
        return [source for source, values in self.parts if _has(values, path)]


def _has(value: Any, path: Iterable[str | int]) -> bool:
    for key in path:
        if not has(value, key):
            return False
        value = value[key]
    return True


def merge(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two mappings key by key, recursively; `update` wins where both have a value."""
    result = dict(base)
    for key, value in update.items():
        current = result.get(key)
        are_mappings = isinstance(current, Mapping) and isinstance(value, Mapping)
        result[key] = merge(current, value) if are_mappings else value  # type: ignore[arg-type]
    return result
