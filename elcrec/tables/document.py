"""Documents around tables: Jinja templates that hold the words, filled with tables and numbers."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from elcrec.files.atomic import write_text
from elcrec.tables import layout
from elcrec.tables.latex import latex_file
from elcrec.tables.layout import Table

_FILTERS = ("markdown", "escaped", "number", "score")


def document(template: str, package: str = "elcrec.tables", **values: Any) -> str:
    """Fill in a template; a line beginning with spaces continues the one before.

    Args:
        template: File in the `templates` of the package, or else in those of `elcrec.tables`.
        package: Where to look first.
        values: The template's variables; the filters `markdown`, `escaped` (for names in the text),
            `number` and `score`, and the function `words`, are those of `elcrec.tables.layout`.
    """
    packages = dict.fromkeys([package, "elcrec.tables"])
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in packages]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {name: getattr(layout, name) for name in _FILTERS}
    environment.globals["words"] = layout.words
    text = environment.get_template(template).render(values)
    return re.sub(r"\n +(?=\S)", " ", text)


def write_table(
    folder: Path, name: str, frame: pd.DataFrame, tables: Sequence[Table], **values: Any
) -> None:
    """Write <name>.csv of a frame, and <name>.md and <name>.tex with the tables and their notes.

    Args:
        folder: Where the files go.
        name: Of the files and of the template, `<name>.md.j2`.
        frame: The numbers, written in full precision; gaps are empty fields.
        tables: What is shown of them.
        values: The template's variables besides `tables`.
    """
    text = document(f"{name}.md.j2", tables=tables, **values)
    notes = [line[2:] for line in text.splitlines() if line.startswith("- ")]
    latex = latex_file(tables, notes)  # everything is made before anything is written
    write_csv(folder / f"{name}.csv", frame)
    write_text(folder / f"{name}.md", text)
    write_text(folder / f"{name}.tex", latex)


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame in full precision; None and nan are empty fields."""
    write_text(path, frame.to_csv(index=False))
