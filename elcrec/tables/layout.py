"""Tables as they are shown, their Markdown and plain text, and the format of single numbers.

A table is declared once, as columns that make a cell from a row. `declared` collects the cells;
the same table becomes Markdown and plain text here, LaTeX in `elcrec.tables.latex` and HTML by the
templates of `elcrec.report`.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from tabulate import SEPARATING_LINE, DataRow, TableFormat, tabulate

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.files.rows import Row
from elcrec.files.words import rendered
from elcrec.files.yamlfile import read_yaml

GAP = "–"
"""Shown where there is no value."""
_SPECIAL = re.compile(r"[\\`*~$|]|(?<![^\W_])_|_(?![^\W_])|<(?=[\w/!?])|&(?=#?\w+;)|](?=[(\[])")
"""What Markdown takes as markup: not an underscore in a word, nor `<` before a space."""
BEST, SECOND = "best", "second"
"""Kinds of cells that every output format marks: in Markdown bold and underlined."""
WORDS = Path(__file__).parent / "templates" / "captions.yaml"


class Named(Protocol):
    """Anything that knows display names: `Names`, or the evidence of the report."""

    def dataset_name(self, dataset: str) -> str:
        """Name of a data set id."""

    def model_name(self, model: str) -> str:
        """Name of a model id."""


@dataclass(frozen=True)
class Names:
    """Display names by id, in the order of the tables; an id without a name is shown as it is."""

    datasets: Mapping[str, str]
    models: Mapping[str, str]

    @classmethod
    def of(cls, config: Config, models: Iterable[str]) -> Self:
        """The data sets in use and these models, of which the configuration may not know some."""
        names = {model: model for model in models}
        for model in names:
            with suppress(InputError):
                names[model] = config.model_name(model)
        return cls({dataset: config.dataset_name(dataset) for dataset in config.use}, names)

    def dataset_name(self, dataset: str) -> str:
        """Name of a data set id."""
        return self.datasets.get(dataset, dataset)

    def model_name(self, model: str) -> str:
        """Name of a model id."""
        return self.models.get(model, model)


@dataclass(frozen=True)
class Cell:
    """A cell of a table; the fields after the note are only for the page."""

    text: str
    sort: float | None = None
    """What the column is sorted by; None sorts by the text."""
    kind: str = ""
    """CSS classes; `BEST` and `SECOND` are marked in every output format."""
    note: str = ""
    """Further lines in small print; a tab is where a narrow screen may break a line."""
    href: str = ""
    """Where the number comes from: an anchor of the page."""
    title: str = ""
    """The same in words."""


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first `text_columns` are text (left), the others numbers."""

    id: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    text_columns: int = 1
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"a row has {len(row)} cells, the header {len(self.header)}")


@dataclass(frozen=True)
class Column:
    """A column of a declared table."""

    title: str
    cell: Callable[[Row], Cell | str]
    """Makes the cell of a row."""
    left: bool = False
    """Text, aligned to the left; these columns come first. Numbers are aligned to the right."""
    paper: bool = False
    """Values of the paper: left out of a table for which it prints none."""


def word(title: str, key: str) -> Column:
    """A column of text, as it is in the file."""
    return Column(title, lambda row: row.text(key) or GAP, left=True)


def named(title: str, key: str, name: Callable[[str], str]) -> Column:
    """A column of ids, shown by their names."""
    return Column(title, lambda row: name(row.text(key)) or GAP, left=True)


def figures(title: str, key: str, digits: int = 4, paper: bool = False) -> Column:
    """A column of numbers with this many decimals."""
    return Column(title, lambda row: figure(row.number(key), digits), paper=paper)


def declared(id: str, columns: Iterable[Column], rows: Sequence[Row], **values: Any) -> Table:
    """Return the table that the columns make of the rows of its file.

    Args:
        id: Of the table, whose caption and notes are in `templates/captions.yaml`.
        columns: From left to right.
        rows: Of the file.
        values: The variables of the caption and the notes.
    """
    cells = [(column, [_as_cell(column.cell(row)) for row in rows]) for column in columns]
    kept = [(c, cells) for c, cells in cells if not c.paper or any(x.text != GAP for x in cells)]
    body = list(zip(*(cells for _, cells in kept), strict=True))
    left, header = sum(c.left for c, _ in kept), [c.title for c, _ in kept]
    notes = (words(id, part, **values) for part in read_yaml(WORDS)[id] if part != "caption")
    return Table(id, words(id, **values), header, body, left, list(filter(None, notes)))


def words(id: str, part: str = "caption", **values: Any) -> str:
    """The caption or a note of a table."""
    return rendered(WORDS, id, part, values)


def texts(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> Table:
    """Return texts as a table, the first `left` columns aligned to the left."""
    return Table("", "", header, [list(map(Cell, row)) for row in rows], left)


def markdown(table: Table) -> str:
    """Return a table as Markdown that reads well as plain text too; texts are `escaped`."""
    header, *body = _padded(table, _marked)
    return _laid_out(table, [header, SEPARATING_LINE, *body], _MARKDOWN)


def escaped(text: str) -> str:
    """Return text that Markdown, of GitHub too, shows as it is."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def plain(table: Table) -> str:
    """Return a table in aligned columns, two spaces apart, for a terminal."""
    return _laid_out(table, _padded(table, lambda cell: cell.text), "plain")


def plain_table(header: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """Return texts for a terminal, the first `text` columns aligned to the left."""
    return plain(texts(header, rows, text))


def number(value: float | None, digits: int) -> str:
    """Format with this many decimals and thousands commas; `GAP` for None and nan."""
    if value is None or math.isnan(value):
        return GAP
    return f"{round(value, digits) + 0.0:,.{digits}f}"  # + 0.0: no minus before a rounded zero


def score(value: float | None) -> str:
    """Format a metric with four decimals, as the paper does."""
    return number(value, 4)


def percent(value: float | None) -> str:
    """Format a signed relative difference, e.g. `+1.2%`."""
    return GAP if value is None or math.isnan(value) else f"{value:+.1f}%"


def p_value(value: float) -> str:
    """Format a p-value, e.g. `0.23` or `2.3e-06`."""
    if math.isnan(value):
        return GAP
    if value >= 0.01:
        return f"{value:.2f}"
    return f"{value:.1e}" if value > 0 else "< 1e-300"


def figure(value: float | None, digits: int, href: str = "", title: str = "") -> Cell:
    """A cell with a number of this many decimals; a gap for None and nan."""
    text = number(value, digits)
    return gap() if text == GAP else Cell(text, sort=value, href=href, title=title)


def with_interval(mean: float, low: float, high: float) -> Cell:
    """A cell with a metric and its interval, as far as they are known."""
    ends = [score(low), score(high)]
    interval = "" if GAP in ends else f" [{', '.join(ends)}]"
    return gap("not yet run") if math.isnan(mean) else Cell(score(mean) + interval, sort=mean)


def gap(reason: str = "") -> Cell:
    """An empty cell; it may say why."""
    return Cell(GAP, kind="gap", title=reason)


def _as_cell(content: Cell | str) -> Cell:
    if isinstance(content, Cell):
        return content
    return gap() if content == GAP else Cell(content)


def _marked(cell: Cell) -> str:
    """A cell as Markdown, the lines of its note below it."""
    text, *note = map(escaped, [cell.text, *cell.note.splitlines()])
    if BEST in cell.kind.split():
        text = f"**{text}**"
    elif SECOND in cell.kind.split():
        text = f"<u>{text}</u>"
    return "<br>".join([text, *(line.replace("\t", " ") for line in note)])


def _padded(table: Table, show: Callable[[Cell], str]) -> list[list[str]]:
    """Texts of the header, at least three characters wide, and of the rows."""
    titles = [show(Cell(title)) for title in table.header]
    header = [t.ljust(3) if n < table.text_columns else t.rjust(3) for n, t in enumerate(titles)]
    return [header, *([show(cell) for cell in row] for row in table.rows)]


def _laid_out(table: Table, rows: list[list[str]], form: TableFormat | str) -> str:
    # The header is a row like the others: tabulate makes the columns of a real one wider.
    left = table.text_columns
    aligned = ["left"] * left + ["right"] * (len(table.header) - left)
    options = {"colalign": aligned, "disable_numparse": True, "preserve_whitespace": True}
    return tabulate(rows, tablefmt=form, **options) + "\n"


def _rule(widths: Sequence[int], aligned: Sequence[str]) -> str:
    """The line below a Markdown header, from the widths of the cells with a space around."""
    cells = zip(widths, aligned, strict=True)
    dashes = ["-" * (w - 2) if side == "left" else "-" * (w - 3) + ":" for w, side in cells]
    return f"| {' | '.join(dashes)} |"


_BARS = DataRow("|", "|", "|")
_MARKDOWN = TableFormat(None, _rule, None, None, _BARS, _BARS, padding=1, with_header_hide=None)
