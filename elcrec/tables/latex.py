r"""Tables as LaTeX with the rules of `booktabs`, from the same cells as the Markdown.

A file holds whole `table` environments for `\input{...}`, and says at its top what it needs.
"""

import re
from collections.abc import Iterable

import pandas as pd

from elcrec.tables.layout import BEST, SECOND, Cell, Table

NEEDS = "Needs \\usepackage{booktabs} and \\usepackage{adjustbox}."
_SIGNS = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "±": r"$\pm$",
        "–": "--",
    }
)
# 2.3e-06 as a power of ten, and the hyphen before a number as a minus.
_POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)(?!\w)")
_MINUS = re.compile(r"(?<![\w.)\]-])-(?=\d)")
_FIT = r"{adjustbox}{max width=\textwidth, max totalheight=0.85\textheight}"


def escape(text: str) -> str:
    """Return text that LaTeX prints as it is: its special characters escaped."""
    return text.translate(_SIGNS)


def latex_table(table: Table) -> str:
    """Return a `table` environment, no wider and no higher than a page.

    A rule separates groups of rows, in practice data sets: a group is a row with a new name in its
    first cell, and the rows below that repeat it or leave it empty. No rules if every row is a
    group. The label is `tab:` and the id.
    """
    frame = pd.DataFrame(_ruled(table), columns=list(map(_numbers, table.header)), dtype=object)
    left = table.text_columns
    text = frame.style.hide(axis="index").to_latex(
        hrules=True,
        column_format="l" * left + "r" * (len(table.header) - left),
        caption=escape(table.caption),
        label=f"tab:{table.id}",
        position="p",
        position_float="centering",
    )
    text = text.replace(r"\begin{tabular}", rf"\begin{_FIT}" + "\n" + r"\begin{tabular}")
    return text.replace(r"\end{tabular}", r"\end{tabular}" + "\n" + r"\end{adjustbox}")


def latex_file(tables: Iterable[Table], notes: Iterable[str] = ()) -> str:
    """Return the content of a .tex file: comments with what it needs and the notes, then tables."""
    comments = [NEEDS, *notes]
    head = "".join(f"% {' '.join(note.split())}\n" for note in comments)
    return head + "".join(f"\n{latex_table(table)}" for table in tables)


def _ruled(table: Table) -> list[list[str]]:
    """The cells as LaTeX, with the rules between groups before the first cells."""
    names = pd.Series([row[0].text for row in table.rows], dtype=object)
    groups = names.mask(names == "").ffill().fillna("")
    starts = groups != groups.shift(fill_value=groups.get(0))
    rule = "\\midrule\n" * bool(groups.duplicated().any())  # none where every row is a group
    rows = []
    for start, row in zip(starts, table.rows, strict=True):
        first, *others = map(_cell, row)
        # After the \\ of the row before, a [ would be read as its argument, and a * as its star.
        first = "{}" * (first[:1] in ("[", "*")) + first
        rows.append([rule * start + first, *others])
    return rows


def _cell(cell: Cell) -> str:
    text = _numbers(cell.text)
    if BEST in cell.kind.split():
        return rf"\textbf{{{text}}}"
    return rf"\underline{{{text}}}" if SECOND in cell.kind.split() else text


def _numbers(text: str) -> str:
    text = _MINUS.sub(r"$-$", escape(text))
    return _POWER.sub(lambda m: rf"${m[1]} \times 10^{{{int(m[2])}}}$", text)
