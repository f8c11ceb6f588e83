"""Commands in messages are made by the configuration, which knows the files that they need."""

import ast
import re

from elcrec import ROOT

COMMAND = re.compile(r"\b(elcrec|snakemake) (--?[a-z]|[a-z]+)")
NO_HINTS = {
    "written by `elcrec recorded readme`": "recorded/readme.py: a mark in README.md",
    "recorded by `elcrec recorded add`": "recorded/about.py: what README.md in the record says",
    "elcrec data fetch: ": "data/fetch.py: who speaks",
}


def texts(tree: ast.AST) -> list[str]:
    """The texts of a file that are no docstrings."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [n.value for n in constants if isinstance(n.value, str) and id(n) not in bare]


def test_no_message_spells_a_command_out():
    found = [
        (path.name, text)
        for package in ("elcrec", "baselines", "variants")
        for path in sorted(ROOT.glob(f"{package}/**/*.py"))
        for text in texts(ast.parse(path.read_text()))
        if COMMAND.search(text) and not any(known in text for known in NO_HINTS)
    ]
    assert found == []
    maker = re.compile(r"{% block maker %}.*?{% endblock %}")  # who made the page
    for path in (ROOT / "elcrec" / "report" / "templates").iterdir():
        assert not COMMAND.search(maker.sub("", path.read_text())), path.name
