"""Frozen dataclasses from untrusted mappings: every key and type is checked, once, in one place."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from elcrec.errors import InputError

T = TypeVar("T")


def build(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make the dataclass `cls` from `values`.

    Args:
        cls: A dataclass; its fields name what is allowed, its annotations the types.
        values: Field values, e.g. from YAML. Missing ones take the default.
        where: File and section, for the error message.

    Raises:
        InputError: Unknown key, wrong type, or a value that `__post_init__` refuses.
    """
    hints = typing.get_type_hints(cls)
    fields = {f.name: hints[f.name] for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in fields:
            raise InputError(f"{where}: unknown key '{key}'; allowed: {', '.join(sorted(fields))}")
        if not _fits(value, fields[key]):
            raise InputError(
                f"{where}: {key}: {value!r} is not {_describe(fields[key])}{_hint(value)}"
            )
    coerced = {key: _coerce(value, fields[key]) for key, value in values.items()}
    try:
        return cls(**coerced)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: {error}") from None


def _fits(value: Any, kind: Any) -> bool:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return value in arguments
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, argument) for argument in arguments)
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(v, arguments[0]) for v in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _coerce(value: Any, kind: Any) -> Any:
    if typing.get_origin(kind) is tuple:
        return tuple(value)
    return float(value) if kind is float else value


def _describe(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return "one of " + ", ".join(str(a) for a in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_describe(a) for a in arguments)
    if origin is tuple:
        return f"a list, each {_describe(arguments[0])}"
    names = {float: "a number", int: "an integer", bool: "true or false", str: "a text"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def _hint(value: Any) -> str:
    """Explain YAML's best-known trap: 1e-3 without a point is a text."""
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return ""
        return f" (YAML reads {value} as text; write {number!r} or {number:.1e})"
    return ""
