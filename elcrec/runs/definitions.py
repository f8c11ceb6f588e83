"""The functions, classes and constants of a file, without what cannot affect results.

Comments, docstrings, annotations, error messages, printed text and the places that names are
imported from are left out, so that none of them changes a hash of the code.
"""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("elcrec", "baselines", "variants")
"""Packages of this project's own code."""
SOURCES = Path(__file__).resolve().parents[2]
"""The folder that contains them."""


@dataclass(frozen=True)
class Definitions:
    """What the top level of a file defines, by name; its other statements are under ""."""

    code: dict[str, str] = field(default_factory=lambda: defaultdict(str, {"": ""}))
    """The text of each definition."""
    uses: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Names used in it; for something in an imported module of this project, its dotted path."""
    imports: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Name in this file to the dotted paths that it is imported from; under "*" are modules of
    which anything may be used."""


def definitions(path: Path) -> Definitions:
    """Read a file of Python."""
    return _read(path, *version(path))


def version(path: Path) -> tuple[int, int]:
    """Time and size of a file, to remember what was read from it."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@functools.cache  # a DAG needs the same files hundreds of times
def _read(path: Path, modified: int, size: int) -> Definitions:
    tree = ast.parse(path.read_text(encoding="utf-8-sig"), filename=str(path))
    result = Definitions()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local_name = alias.asname or (alias.name if "." not in alias.name else "*")
                result.imports[local_name].add(alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                origin = f"{node.module}.{alias.name}".removesuffix(".*")
                result.imports[alias.asname or alias.name].add(origin)
    result.uses[""] |= {"*"} & result.imports.keys()
    _Deciding(result.imports).visit(tree)
    for statement in tree.body:
        used = {getattr(n, "path", n.id) for n in ast.walk(statement) if isinstance(n, ast.Name)}
        for name in _defined(statement) or [""]:
            result.code[name] += f"{dump(statement)}\n"
            result.uses[name] |= used
    return result


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement defines; none for a branch or a loop."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    nodes = [node for target in targets for node in ast.walk(target)]
    return [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


class _Deciding(ast.NodeTransformer):
    """Removes what cannot affect results."""

    def __init__(self, imports: Mapping[str, Iterable[str]]) -> None:
        self.imports = imports

    def visit(self, node: ast.AST) -> ast.AST | None:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return None
            case ast.Expr(value=ast.Constant(value=str()) | ast.Call(func=ast.Name(id="print"))):
                return None
            case ast.Attribute(value=ast.Name(id=name)) if module := self._module(name):
                short = ast.Name(node.attr, node.ctx)
                short.path = f"{module}.{node.attr}"  # type: ignore[attr-defined]
                return short
            case ast.Raise(exc=ast.Call(func=kind)):
                node.exc = ast.Call(kind, [], [])
            case ast.Assert():
                node.msg = None
            case ast.arg():
                node.annotation = None
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                node.returns = None
            case ast.AnnAssign():  # its presence makes a dataclass field
                node.annotation = ast.Constant(None)
        self.generic_visit(node)
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node

    def _module(self, name: str) -> str | None:
        """The module of this project that a name refers to."""
        for origin in self.imports.get(name, ()):
            if origin.split(".")[0] in PACKAGES and file_of(origin).exists():
                return origin
        return None


def dump(node: object) -> str:
    """Like `ast.dump`, whose text differs between versions of Python: empty fields are left out."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
        return f"{type(node).__name__}({', '.join(f'{n}={dump(v)}' for n, v in fields)})"
    if isinstance(node, list):
        return f"[{', '.join(map(dump, node))}]"
    return repr(node)


def file_of(module: str) -> Path:
    """The file of a module, given by its dotted name or by a path, which is returned unchanged."""
    if module.endswith(".py"):
        return Path(module)
    path = SOURCES.joinpath(*module.split("."))
    package = path / "__init__.py"
    return package if package.exists() else path.with_suffix(".py")
