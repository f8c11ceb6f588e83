r"""Tables as LaTeX with the rules of `booktabs`, from the same cells as the Markdown.

A file holds whole `table` environments for `\input{...}`, and says at its top what it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from elcrec.tables.layout import Best, RunnerUp, TextTable

NEEDS = "Needs \\usepackage{booktabs} and \\usepackage{adjustbox}."
_SIGNS = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "–": "--",
}
# 2.3e-06 as a power of ten, and the hyphen before a number as a minus.
_POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)(?!\w)")
_MINUS = re.compile(r"(?<![\w.)\]-])-(?=\d)")


def escape(text: str) -> str:
    """Return text that LaTeX prints as it is: its special characters escaped."""
    return "".join(_SIGNS.get(sign, sign) for sign in text)


def latex_table(table: TextTable, *, caption: str, label: str) -> str:
    """Return a `table` environment, no wider and no higher than a page.

    A rule stands before every row whose first cell names something new and shares that name, or
    its emptiness, with other rows: between data sets, that is.

    Args:
        table: The cells; `Best` is printed bold, `RunnerUp` underlined.
        caption: Plain text, which is escaped here.
        label: For `\\ref`, e.g. `tab:accuracy`.

    Raises:
        ValueError: A row of another length than the header.
    """
    columns = "l" * table.text + "r" * (len(table.header) - table.text)
    lines = [
        r"\begin{table}[p]",
        r"\centering",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{{label}}}",
        r"\begin{adjustbox}{max width=\textwidth, max totalheight=0.85\textheight}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _line(table.header, table),
        r"\midrule",
        *_body(table),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{adjustbox}",
        r"\end{table}",
    ]
    return "".join(f"{line}\n" for line in lines)


def latex_file(tables: Iterable[str], notes: Iterable[str] = ()) -> str:
    """Return the content of a .tex file: comments with what it needs and the notes, then tables."""
    comments = [NEEDS, *notes]
    head = "".join(f"% {' '.join(note.split())}\n" for note in comments)
    return head + "".join(f"\n{table}" for table in tables)


def _body(table: TextTable) -> list[str]:
    names = [row[0] for row in table.rows]
    grouped = len(set(names) - {""}) < len(names)
    lines = []
    current = names[0] if names else ""
    for row in table.rows:
        if grouped and row[0] and row[0] != current:
            lines.append(r"\midrule")
        current = row[0] or current
        lines.append(_line(row, table))
    return lines


def _line(row: Sequence[str], table: TextTable) -> str:
    if len(row) != len(table.header):
        raise ValueError(f"a row has {len(row)} cells, the header {len(table.header)}")
    line = " & ".join(_cell(cell) for cell in row)
    # After the \\ of the row before, a [ would be read as its argument, and a * as its star.
    return ("{}" if line[:1] in ("[", "*") else "") + line + r" \\"


def _cell(cell: str) -> str:
    text = _MINUS.sub(r"$-$", escape(cell))
    text = _POWER.sub(lambda m: rf"${m[1]} \times 10^{{{int(m[2])}}}$", text)
    if isinstance(cell, Best):
        return rf"\textbf{{{text}}}"
    return rf"\underline{{{text}}}" if isinstance(cell, RunnerUp) else text
