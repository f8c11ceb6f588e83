"""Data from outside, checked by pydantic; errors are reported in plain words.

A message names the source, the key and what is allowed there, in the same words for a
configuration, a model's YAML and a record in JSON. What is allowed is derived from the JSON schema
that pydantic makes from a type, so each rule is written once, with its type.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from elcrec.errors import InputError, dotted, quotes_hint, shown, unknown_key
from elcrec.files.paths import as_path
from elcrec.files.yamlfile import dump, parse

T = TypeVar("T")
Where = Callable[..., str]
"""Words for the place of a key, whose path is the arguments: `FILE: KEY`."""
Schema = Mapping[str, Any]

STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
"""No text as a number, and no boolean or 1.0 as an integer: seeds and the like name folders."""
LARGEST = 2**63 - 1
"""The largest integer that numpy and every other reader can hold; messages do not mention it."""


class Section(BaseModel):
    """A mapping that may have no keys but its fields."""

    model_config = STRICT | ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def replaced(self, **changes: Any) -> Self:
        """A copy with other values for some fields, which are not checked."""
        return self.model_copy(update=changes)


class Record(Section):
    """An object in a record; its other keys are ignored, for they are for other readers."""

    model_config = ConfigDict(extra="ignore")


_WORDS: dict[str, str] = {}  # pattern to words for what it matches


def matching(pattern: str, description: str) -> Any:
    """Require that a text matches the pattern; messages describe it in these words."""
    _WORDS[pattern] = description
    return Field(pattern=pattern)


def having(*keys: str) -> AfterValidator:
    """Require that a mapping has these keys."""

    def whole(values: dict[str, Any]) -> dict[str, Any]:
        for key in keys:
            if key not in values:
                raise ValueError(f"the key '{key}' is missing")
        return values

    return AfterValidator(whole)


def _unique(values: list[T]) -> list[T]:
    for index, value in enumerate(values):
        if value in values[:index]:
            positions = f"[{values.index(value)}] and [{index}]"
            raise ValueError(f"must not repeat a value, got {shown(value)} at {positions}")
    return values


def _path(value: Any) -> Any:
    if not value or not isinstance(value, str):
        return value
    if "{" in value or "}" in value:
        raise ValueError(f"must not contain braces, which Snakemake replaces, got {shown(value)}")
    return as_path(value)


Text = Annotated[str, Field(min_length=1)]
_PRINTED = r"[^\x00-\x1f\x7f]"  # no control character
Line = Annotated[
    str, matching(rf"^{_PRINTED}*[^\s\x00-\x1f\x7f]{_PRINTED}*$", "a text of one line")
]
FilePath = Annotated[Path, BeforeValidator(_path, json_schema_input_type=Text)]
"""A path in a configuration, which may be used in a pattern of Snakemake."""
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Positive = Annotated[int, Field(ge=1, le=LARGEST)]
Amount = Annotated[float, Field(ge=0, le=LARGEST)]
Share = Annotated[float, Field(ge=0, le=1)]
Unique = Annotated[list[T], AfterValidator(_unique), Field(json_schema_extra={"uniqueItems": True})]
Some = Annotated[Unique[T], Field(min_length=1)]


def in_file(path: Path) -> Where:
    """Words for the place of a key in a file."""
    return lambda *keys: f"{path}: {dotted(keys)}"


def check(kind: Any, values: Any, where: Where, context: Any = None) -> Any:
    """Check values against a model or another type; returns them as that type.

    Args:
        kind: The model or the type.
        values: Mappings, lists and scalars, as YAML or JSON gives them.
        where: Words for the place of a key.
        context: For the validators of `kind`.

    Raises:
        InputError: One line, about the outermost mistake.
    """
    adapter = _adapter(kind)
    try:
        return adapter.validate_python(values, context=context)
    except pydantic.ValidationError as error:
        raise InputError(_refusal(error, adapter.json_schema(), values, where)) from None


def converted(kind: Any, values: Any) -> Any:
    """Convert values, some of which arrived as texts, to what `kind` expects in each place.

    Snakemake passes on nested values of `--config` as texts: `seeds=[1]` as `['1']`, but
    `output=1` as 1.
    """
    root = _adapter(kind).json_schema()
    return _converted(values, root, root)


def _converted(value: Any, schema: Schema, root: Schema) -> Any:
    if isinstance(value, Mapping):
        return {key: _converted(v, _subschema(schema, key, root), root) for key, v in value.items()}
    if isinstance(value, list):
        return [_converted(v, _subschema(schema, n, root), root) for n, v in enumerate(value)]
    kinds = {s.get("type") for s in _choices(schema, root)} - {"null"}
    if kinds == {"string"}:
        return dump(value).splitlines()[0] if isinstance(value, bool | int | float) else value
    if isinstance(value, str) and value.strip():
        with suppress(InputError):
            parsed = parse(value, "")
            return parsed if parsed is None or isinstance(parsed, bool | int | float) else value
    return value


@functools.cache
def _adapter(kind: Any) -> pydantic.TypeAdapter[Any]:
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    return pydantic.TypeAdapter(kind, config=None if is_model else STRICT)


def _refusal(error: pydantic.ValidationError, root: Schema, values: Any, where: Where) -> str:
    first = min(error.errors(include_url=False), key=lambda e: len(e["loc"]))
    keys, context = first["loc"], first.get("ctx", {})
    path: list[str | int] = []
    parent, schema, value = root, root, values
    for key in keys:
        if has(value, key):  # else it is a missing key, or names a branch of a union
            parent, schema, value = schema, _subschema(schema, key, root), value[key]
            path.append(key)
    match first["type"]:
        case "missing":
            problem = f"the key '{keys[-1]}' is missing"
        case "extra_forbidden":
            properties = (key for s in _choices(parent, root) for key in s.get("properties", ()))
            problem = unknown_key(path[-1], properties)
        case "value_error":
            problem = str(context["error"])
        case "string_unicode" | "invalid_key":
            problem = "must have keys and texts of Unicode characters only"
        case _ if keys[-1:] == ("[key]",):
            problem = f"the name must be {_WORDS[context['pattern']]}"
        case _:
            allowed = _allowed(schema, root)
            problem = f"must be {allowed}, got {shown(value)}{quotes_hint(value, allowed)}"
    return f"{where(*path)}: {problem}"


def has(value: Any, key: str | int) -> bool:
    """Whether a mapping has a key, or a list a place."""
    if isinstance(key, int):
        return isinstance(value, list) and key < len(value)
    return isinstance(value, Mapping) and key in value


def _choices(schema: Schema, root: Schema) -> list[Schema]:
    """The alternatives of a schema, references resolved; usually it is the only one itself."""
    if "$ref" in schema:
        return _choices(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return [choice for s in schema["anyOf"] for choice in _choices(s, root)]
    return [schema]


def _subschema(schema: Schema, key: str | int, root: Schema) -> Schema:
    """The schema of the value under a key, or of the entries of a list."""
    candidates: list[Any] = []
    for s in _choices(schema, root):
        candidates += [s.get("items"), s.get("properties", {}).get(key)]
        candidates += [*s.get("patternProperties", {}).values(), s.get("additionalProperties")]
    return next((s for s in candidates if s and s is not True), {})  # True: anything


_KINDS = {
    "object": "a mapping of keys to values",
    "array": "a list",
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _allowed(schema: Schema, root: Schema) -> str:
    """What a schema allows: `a list of at least one entry, each an integer from 0 to 9`."""
    if "anyOf" in schema:
        # For a key that may be left out, messages do not mention that null is allowed.
        hidden = {"type": "null"} if "default" in schema else None
        return " or ".join(_allowed(s, root) for s in schema["anyOf"] if s != hidden)
    (schema,) = _choices(schema, root)
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema:
        return shown(schema["const"])
    if "pattern" in schema:
        return _WORDS[schema["pattern"]]
    text = _KINDS[schema["type"]] + _range(schema.get("minimum"), schema.get("maximum"))
    if schema.get("minLength"):
        text += " that is not empty"
    if schema.get("minItems"):
        text += " of at least one entry"
    if items := schema.get("items"):
        text += f", each {_allowed(items, root)}"
    return text


def _range(least: float | None, most: float | None) -> str:
    if least is None:
        return ""
    return f", {least} or more" if most in (None, LARGEST) else f" from {least} to {most}"
