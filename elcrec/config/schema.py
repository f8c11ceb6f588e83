"""Mappings checked against a strict JSON schema; what is wrong is said in plain words."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

from elcrec.config.merging import Layers
from elcrec.errors import InputError, dotted, number_hint, shown, unknown_key

KINDS = {
    "object": "a mapping of keys to values",
    "array": "a list",
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
NUMBERS = ("integer", "number")


def check(merged: Mapping[str, Any], schema: Path, layers: Layers) -> None:
    """Refuse what the schema does not allow.

    Raises:
        InputError: One line, of the outermost mistake: its source, its key, what is wrong and what
            is allowed.
    """
    validator = _validator(schema)
    errors = list(validator.iter_errors(merged))
    if errors:
        outermost = min(errors, key=lambda error: len(error.absolute_path))
        raise InputError(_explain(outermost, validator.schema, layers))


def is_integer(value: Any) -> bool:
    """No boolean, and no 1.0 either: seeds and the like become names of folders."""
    return isinstance(value, int) and is_number(value)


def is_number(value: Any) -> bool:
    """No boolean, and neither NaN nor infinite nor, as an integer, beyond what a float can be."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max


@functools.cache
def _validator(schema: Path) -> Any:
    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, v: is_integer(v), "number": lambda _, v: is_number(v)}
    )
    strict = jsonschema.validators.extend(base, type_checker=types)
    return strict(json.loads(schema.read_text(encoding="utf-8")))


def _explain(error: jsonschema.ValidationError, root: Any, layers: Layers) -> str:
    path = list(error.absolute_path)
    schema: Any = error.schema
    value: Any = error.instance
    if "propertyNames" in error.absolute_schema_path:
        return f"{layers.where(*path, value)}: the name must be {_describe(schema, root)}"
    if error.validator == "additionalProperties":
        wrong = next(key for key in value if key not in schema["properties"])
        return f"{layers.where(*path, wrong)}: {unknown_key(wrong, schema['properties'])}"
    return f"{layers.where(*path)}: {_problem(error, schema, root)}"


def _problem(error: jsonschema.ValidationError, schema: Mapping[str, Any], root: Any) -> str:
    value: Any = error.instance
    if error.validator == "required":
        missing = next(key for key in schema["required"] if key not in value)
        return f"the key '{missing}' is missing"
    if error.validator == "anyOf":
        names = " or ".join(f"'{choice['required'][0]}'" for choice in schema["anyOf"])
        return f"a key is missing: {names}"
    if error.validator == "uniqueItems":
        first, second = _twice(value)
        places = f"{dotted([first])} and {dotted([second])}"
        return f"must have no value twice, got {shown(value[first])} at {places}"
    hint = number_hint(value) if {*_types(schema)} & {*NUMBERS} else ""
    return f"must be {_describe(schema, root)}, got {shown(value)}{hint}"


def _twice(values: Sequence[Any]) -> tuple[int, int]:
    """Positions of two equal values; 1 and true are not equal."""
    pairs = ((i, k) for k in range(len(values)) for i in range(k))
    return next(
        (i, k)
        for i, k in pairs
        if values[i] == values[k] and (values[i] is True) == (values[k] is True)
    )


def _types(schema: Mapping[str, Any]) -> list[str]:
    types: str | list[str] = schema.get("type", [])
    return [types] if isinstance(types, str) else types


def _describe(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """What a schema allows: `a list of at least one entry, each an integer from 0 to 9`."""
    if "$ref" in schema:
        return _describe(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "pattern" in schema:
        return str(schema["description"])  # of a pattern, it says what matches
    text = " or ".join(KINDS[kind] for kind in _types(schema))
    text += _range(schema)
    if schema.get("minLength") == 1:
        text += " that is not empty"
    if schema.get("minItems") == 1:
        text += " of at least one entry"
    if "items" in schema:
        text += f", each {_describe(schema['items'], root)}"
    return text


def _range(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" from {least} to {most}"
    return "" if least is None else f", {least} or more"
