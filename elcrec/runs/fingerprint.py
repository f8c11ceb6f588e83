"""Hashes of code: of the code that determines a run's results, and of whole files.

`fingerprint` covers the functions, classes and constants that a run reaches, from the model's
module and from `ENTRIES`, within `PARTS`. The file that they are in is not part of it, nor is what
`elcrec.runs.definitions` leaves out: a moved file, a new message or an extra metric changes
nothing; another loss does. The workflow re-runs a training when it changes, and tables refuse to
mix runs of different code.

`code_hash` covers all code of modules and of what they import, messages included: it is for the
code that makes a table or a figure.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from elcrec.runs.definitions import PACKAGES, Definitions, definitions, dump, file_of, version

PARTS = (
    *("baselines", "elcrec.data", "elcrec.evaluation", "elcrec.models", "elcrec.training"),
    *("elcrec.industrial", "variants"),
)
"""Packages whose code determines a run's results."""
ENTRIES = (
    "elcrec.data.histories.InteractionData",
    "elcrec.training.loop.new_model",
    "elcrec.training.loop.train",
    "elcrec.training.precision.full_precision",
    "elcrec.evaluation.metrics._hits",  # of FAMILIES those that `select_by` may name
    "elcrec.evaluation.metrics._gains",
)
"""What a run uses besides its model's module. What it only passes on (settings, native kernels,
checkpoints) is recorded by its own hash, or does not affect results."""
LEFT_OUT = (
    "elcrec.evaluation.metrics.METRICS",  # one more is computed from the same ranks
    "elcrec.evaluation.metrics.FAMILIES",
    "elcrec.data.sequences.read_sequences",  # the hash of what it read is recorded
)
"""What a run reaches, but no result depends on."""


def fingerprint(module: str, entries: Iterable[str] | None = None) -> str:
    """Hash of the code that determines the results of a model's runs, 16 hexadecimal digits.

    Args:
        module: Dotted name of the model's module, or path of its file.
        entries: What its runs use besides, `ENTRIES` by default; nothing where the module has its
            own training.
    """
    code = "\n".join(sorted(deciding_code(module, entries)))
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def deciding_code(model: str, entries: Iterable[str] | None = None) -> set[str]:
    """The code of all definitions that runs of a model reach, from everything in its module."""

    def read(module: str) -> Definitions:
        return definitions(file_of(module))

    code: set[str] = set()
    done = {_split(path) for path in LEFT_OUT}
    pending = [
        *map(_split, ENTRIES if entries is None else entries),
        *((model, name) for name in read(model).code),
    ]
    while pending:
        module, name = pending.pop()
        if (module, name) in done:
            continue
        done.add((module, name))
        content = read(module)
        if name in content.code and (module == model or _is_part(module)):
            code |= {content.code[name], content.code[""]}
            pending += [(module, used) for used in content.uses[name] | content.uses[""]]
        for path in content.imports.get(name, {name} if "." in name else ()):
            if path.split(".")[0] not in PACKAGES:
                code.add(path)  # for another library, the name represents the code
            elif file_of(path).exists():
                pending += [(path, definition) for definition in read(path).code]
            else:
                pending.append(_split(path))
    return code


def _split(path: str) -> tuple[str, str]:
    """Module and name of a definition."""
    module, _, name = path.rpartition(".")
    return module, name


def _is_part(module: str) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in PARTS)


def code_hash(*modules: str) -> str:
    """Hash of modules (dotted names or paths) and of what they import from this project."""
    files: dict[str, Path] = {}
    for number, module in enumerate(modules):
        path = file_of(module)
        files |= {name: file_of(name) for name in _reachable(imports_of(path))}
        files[f"{number}"] = path
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{code_of(files[name])}\n".encode())
    return digest.hexdigest()[:16]


def code_of(path: Path) -> str:
    """The syntax tree of a file as text, without docstrings."""
    return _read(path, *version(path))[0]


@functools.cache  # a DAG needs the same files hundreds of times
def _read(path: Path, modified: int, size: int) -> tuple[str, tuple[str, ...]]:
    """Code of a file as `code_of` gives it, and the modules of this project that it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8-sig"), filename=str(path))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            statements = [s for s in body if not _is_for_readers(s)]
            node.body = statements or [ast.Pass()]  # type: ignore[attr-defined]
    return dump(tree), tuple(_imports(tree))


def _is_for_readers(statement: ast.stmt) -> bool:
    """A docstring, of a module, class, function or field, or what only a type checker reads."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _reachable(start: Iterable[str]) -> set[str]:
    modules: set[str] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in modules and file_of(name).exists():
            modules.add(name)
            pending.extend(imports_of(file_of(name)))
    return modules


def imports_of(path: Path) -> tuple[str, ...]:
    """Modules of this project that a file imports, at any depth of its code."""
    return _read(path, *version(path))[1]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in PACKAGES)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if package.split(".")[0] in PACKAGES:
                yield package
                yield from (f"{package}.{a.name}" for a in node.names)
