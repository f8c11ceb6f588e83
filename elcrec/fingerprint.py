"""A hash of the code that decides a run's numbers.

It covers the syntax trees of the model's module, the engine and everything they import from this
project, without docstrings and comments: editing a comment changes nothing, editing a loss does.
The workflow re-runs a training when it changes, and tables refuse to mix runs of different code.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from elcrec.config import ROOT

ENTRY = ("elcrec.engine", "elcrec.run")
# What these decide is recorded with the run itself (settings), or does not reach its numbers.
IGNORED = (
    "elcrec.atomic",
    "elcrec.checkpoint",
    "elcrec.config",
    "elcrec.deadline",
    "elcrec.errors",
    "elcrec.fingerprint",
    "elcrec.lock",
    "elcrec.measure",
    "elcrec.native",
    "elcrec.native.build",
    "elcrec.native.function",
    "elcrec.progress",
    "elcrec.provenance",
    "elcrec.registry",
    "elcrec.settings",
    "elcrec.wording",
    "elcrec.yamlfile",
)
PACKAGES = ("elcrec", "baselines")


def fingerprint(module: str) -> str:
    """Hash of the training code of a model, 16 hexadecimal digits.

    Args:
        module: Dotted name of the model's module, or path of its file.
    """
    return code_hash(module, *ENTRY)


def code_hash(*modules: str) -> str:
    """Hash of modules (dotted names or paths) and of what they import from this project."""
    files: dict[str, Path] = {}
    for number, module in enumerate(modules):
        path = Path(module) if module.endswith(".py") else _file(module)
        files |= {name: _file(name) for name in _reachable(imports_of(path))}
        files[f"{number}"] = path
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{code_of(files[name])}\n".encode())
    return digest.hexdigest()[:16]


def code_of(path: Path) -> str:
    """The syntax tree of a file as text, without docstrings."""
    return _read(path, *_version(path))[0]


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@functools.cache  # a DAG asks for the same files hundreds of times
def _read(path: Path, modified: int, size: int) -> tuple[str, tuple[str, ...]]:
    """Code of a file as `code_of` gives it, and the modules of this project that it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    imports = tuple(_imports(tree))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [s for s in body if not _is_text(s)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return _dump(tree), imports


def _dump(node: object) -> str:
    """Like `ast.dump`, whose text differs between versions of Python: empty fields are left out."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
        return f"{type(node).__name__}({', '.join(f'{n}={_dump(v)}' for n, v in fields)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_dump, node))}]"
    return repr(node)


def _is_text(statement: ast.stmt) -> bool:
    """A docstring, of a module, class, function or field."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _reachable(start: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in IGNORED and _file(name).exists():
            found.add(name)
            waiting.extend(imports_of(_file(name)))
    return found


def imports_of(path: Path) -> tuple[str, ...]:
    """Modules of this project that a file imports, at any depth of its code."""
    return _read(path, *_version(path))[1]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in PACKAGES)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if package.split(".")[0] in PACKAGES:
                yield package
                yield from (f"{package}.{a.name}" for a in node.names)


def _file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    package = path / "__init__.py"
    return package if package.exists() else path.with_suffix(".py")
