"""Frozen dataclasses from untrusted mappings: every key and type is checked, once, in one place."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from elcrec.config.schema import is_integer, is_number
from elcrec.errors import InputError, number_hint, shown, unknown_key

T = TypeVar("T")
LARGEST = 2**31 - 1
"""Integers are sizes and counts; larger ones do not fit the libraries that take them."""


@dataclasses.dataclass(frozen=True)
class Given:
    """A value that somebody wrote down, and where, for a message."""

    key: str
    """Name of the setting."""
    value: Any
    where: str
    """File and key path, or option of the command line."""


def field_names(cls: type) -> list[str]:
    """The settings that a dataclass has."""
    return [field.name for field in dataclasses.fields(cls)]


def build(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make the dataclass `cls` from the values of one section, as `build_from` does."""
    return build_from(cls, [Given(key, value, f"{where}: {key}") for key, value in values.items()])


def build_from(cls: type[T], values: Sequence[Given]) -> T:
    """Make the dataclass `cls`.

    Args:
        cls: A dataclass; its fields name what is allowed, its annotations the types.
        values: Field values, e.g. from YAML; the later wins. Missing ones take the default.

    Raises:
        InputError: Unknown key, wrong type, or a value that `__post_init__` refuses.
    """
    hints = typing.get_type_hints(cls)
    known = field_names(cls)
    for one in values:
        if one.key not in known:
            raise InputError(f"{one.where}: {unknown_key(one.key, known)}")
        kind = hints[one.key]
        if not _fits(one.value, kind):
            hint = number_hint(one.value) if _is_numeric(kind) else ""
            raise InputError(
                f"{one.where}: must be {_describe(kind, one.value)}, got {shown(one.value)}{hint}"
            )
    coerced = [dataclasses.replace(v, value=_coerce(v.value, hints[v.key])) for v in values]
    made = _make(cls, coerced)
    if isinstance(made, str):
        raise InputError(_explain(cls, coerced, made))
    return made


def _make(cls: type[T], values: Sequence[Given]) -> T | str:
    """The object, or why it is refused."""
    try:
        return cls(**{value.key: value.value for value in values})
    except (ValueError, TypeError, ArithmeticError) as error:
        return " ".join(str(error).split())


def _explain(cls: type, values: Sequence[Given], refusal: str) -> str:
    """Name the value that is refused: without it and those after it, no such refusal."""
    for number in range(len(values), 0, -1):
        if _make(cls, values[: number - 1]) != refusal:
            wrong = values[number - 1]
            got = "" if "got " in refusal else f", got {shown(wrong.value)}"
            return f"{wrong.where}: {refusal.removeprefix(f'{wrong.key} ')}{got}"
    return f"{cls.__module__}: {refusal}"  # its own defaults are refused


def _fits(value: Any, kind: Any) -> bool:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return any(type(value) is type(a) and value == a for a in arguments)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, argument) for argument in arguments)
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(v, arguments[0]) for v in value)
    if kind is float:
        return is_number(value)
    if kind is int:
        return is_integer(value) and value <= LARGEST
    return isinstance(value, kind)


def _coerce(value: Any, kind: Any) -> Any:
    if typing.get_origin(kind) is tuple:
        return tuple(value)
    return float(value) if kind is float else value


def _is_numeric(kind: Any) -> bool:
    return kind in (int, float) or any(_is_numeric(part) for part in typing.get_args(kind))


def _describe(kind: Any, value: Any) -> str:
    """What fits, for the value that does not."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return "one of " + ", ".join(str(a) for a in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_describe(a, value) for a in arguments)
    if origin is tuple:
        return f"a list, each {_describe(arguments[0], None)}"
    if kind is int and is_integer(value):
        return f"an integer of at most {LARGEST}"
    names = {float: "a number", int: "an integer", bool: "true or false", str: "a text"}
    names |= {types.NoneType: "nothing"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))
