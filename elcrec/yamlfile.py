"""YAML mappings, read once and merged key by key."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from elcrec.errors import InputError


def merge(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two mappings key by key, recursively; `update` wins where both have a value."""
    result = dict(base)
    for key, value in update.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return result


@functools.cache
def _read_yaml(path: Path, modified: int) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{path}{line}: not valid YAML: {problem}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a mapping of keys to values")
    return content


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; InputError names the file and the line."""
    try:
        return _read_yaml(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
