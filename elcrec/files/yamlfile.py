"""YAML files, read once, strictly: a key given twice, or one that is not a text, is refused."""

import functools
import re
from pathlib import Path
from typing import Any

import yaml

from elcrec.errors import InputError, relative_to, shown

TEXT = "tag:yaml.org,2002:str"
MERGE = "tag:yaml.org,2002:merge"


class _Refusal(yaml.MarkedYAMLError):
    """Well-formed YAML that is not accepted."""

    def __init__(self, node: yaml.Node, problem: str) -> None:
        super().__init__(problem=problem, problem_mark=node.start_mark)


class _Loader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Check the keys as they are written, before `<<` brings others in."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        first: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == MERGE:
                continue
            if key.tag != TEXT:
                quoted = repr(key.value) if isinstance(key.value, str) else "a word"
                raise _Refusal(key, f"a key must be a text: write {quoted} with the quotes")
            if key.value in first:
                problem = f"the key {shown(key.value)} is given here and in line {first[key.value]}"
                raise _Refusal(key, f"{problem}; keep one of them")
            first[key.value] = key.start_mark.line + 1
        return node

    def get_single_data(self) -> Any:
        """Construct everything at once, in depth, which refuses a node that contains itself."""
        node = self.get_single_node()
        return None if node is None else self.construct_object(node, deep=True)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Refuse what makes PyYAML raise Python errors: `2026-13-01`, `!!bool x`, 5000 digits."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError):
            kind = node.tag.rpartition(":")[2]
            raise _Refusal(node, f"{shown(node.value)} cannot be read as {kind}") from None


# Numbers as people, JSON and YAML 1.2 write them. In YAML 1.1, which PyYAML reads, 1e-5 is a
# text, 010 is 8 and 1:30 is 90.
INT, FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in (INT, FLOAT)]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Quotes texts that `_Loader` would read as numbers, besides those that PyYAML quotes."""


_WHOLE = re.compile(r"^[-+]?[0-9]+$")
_REAL = re.compile(
    r"^[-+]?((\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))$|^\.(nan|NaN|NAN)$"
)
for kind in (_Loader, _Dumper):
    kind.add_implicit_resolver(INT, _WHOLE, list("-+0123456789"))
    kind.add_implicit_resolver(FLOAT, _REAL, list("-+.0123456789"))
_Loader.add_constructor(INT, lambda loader, node: int(node.value))


def parse(text: str, where: Path | str) -> Any:
    """Read YAML text.

    Raises:
        InputError: It is not YAML, or a key is repeated or is not a text; names `where` and line.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{where}{line}: {_problem(error)}") from None


def dump(value: Any) -> str:
    """YAML text that `parse` reads as the same value; keys stay in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False)
    return text


def _problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, _Refusal):
        return str(error.problem)
    if isinstance(error, yaml.MarkedYAMLError):
        parts = [" ".join(part.split()) for part in (error.context, error.problem) if part]
        return f"not valid YAML: {', '.join(parts)}"
    return f"not valid YAML: {str(error).splitlines()[0]}"


@functools.cache  # a DAG asks for the same files hundreds of times
def _read(path: Path, modified: int, size: int) -> Any:
    return parse(path.read_bytes().decode(), path)


def read(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        InputError: It cannot be read; names the file and the line.
    """
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file{relative_to(path)}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not valid YAML: {error}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping, empty in an empty file; InputError names the file and the line."""
    content = read(path)
    if content is not None and not isinstance(content, dict):
        raise InputError(f"{path}: must be a mapping of keys to values, got {shown(content)}")
    return content or {}
