"""Frozen dataclasses from untrusted mappings: every key and type is checked, once, in one place.

The dataclasses need no code for it: models' hyper-parameters are plain dataclasses.
"""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from elcrec.errors import InputError, shown, unknown_key
from elcrec.files.checked import check

T = TypeVar("T")
LARGEST = 2**31 - 1
"""Integers are sizes and counts; larger ones do not fit the libraries that use them."""


@dataclasses.dataclass(frozen=True)
class Given:
    """A value that a user set, and where, for messages."""

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
        values: Field values, e.g. from YAML; the last one wins. Missing ones get the default.

    Raises:
        InputError: Unknown key, wrong type, or a value that `__post_init__` refuses.
    """
    types = typing.get_type_hints(cls)
    known = field_names(cls)
    for given in values:
        if given.key not in known:
            raise InputError(f"{given.where}: {unknown_key(given.key, known)}")
    checked = [dataclasses.replace(given, value=_cast(given, types[given.key])) for given in values]
    result = _make(cls, checked)
    if isinstance(result, str):
        raise InputError(_explain(cls, checked, result))
    return result


def _cast(given: Given, annotation: Any) -> Any:
    """The value in the annotated type: 3 becomes 3.0 for float, a list becomes a tuple."""
    is_list = isinstance(given.value, list) and typing.get_origin(annotation) is tuple
    value = tuple(given.value) if is_list else given.value
    value = check(annotation, value, lambda *path: given.where)
    if isinstance(value, int) and value > LARGEST:
        largest = f"an integer of at most {LARGEST}"
        raise InputError(f"{given.where}: must be {largest}, got {shown(value)}")
    return value


def _make(cls: type[T], values: Sequence[Given]) -> T | str:
    """The object, or why it is refused."""
    try:
        return cls(**{value.key: value.value for value in values})
    except (ValueError, TypeError, ArithmeticError) as error:
        return " ".join(str(error).split())


def _explain(cls: type, values: Sequence[Given], refusal: str) -> str:
    """Name the refused value: without it and those after it, the refusal is a different one."""
    for number in range(len(values), 0, -1):
        if _make(cls, values[: number - 1]) != refusal:
            refused = values[number - 1]
            got = "" if "got " in refusal else f", got {shown(refused.value)}"
            return f"{refused.where}: {refusal.removeprefix(f'{refused.key} ')}{got}"
    return f"{cls.__module__}: {refusal}"  # its own defaults are refused
