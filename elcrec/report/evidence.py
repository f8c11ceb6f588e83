"""What the page is made of: records, tables and figures, and the runs that it shows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from elcrec import paper
from elcrec.config.config import Config
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.errors import InputError, shown
from elcrec.files.csvfile import read_csv
from elcrec.files.jsonfile import JsonObject
from elcrec.paper import IMPROVEMENT, P_VALUE, PaperTable
from elcrec.runs.places import json_files
from elcrec.runs.plan import runs_of_models, runs_of_sensitivity
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import RunRecord

COMPARED = (IMPROVEMENT, P_VALUE)  # columns of the paper's Table 1 that are no method


@dataclass(frozen=True)
class Row:
    """A line of a CSV file."""

    path: Path
    values: Mapping[str, str]

    def text(self, key: str) -> str:
        """The field as it stands.

        Raises:
            InputError: The file has no such column.
        """
        if key not in self.values:
            known = ", ".join(self.values)
            raise InputError(f"{self.path}: has no column '{key}'; it has: {known}")
        return self.values[key]

    def number(self, key: str) -> float:
        """The field as a number; nan when it is empty.

        Raises:
            InputError: There is no such column, or the field is not a number.
        """
        text = self.text(key)
        try:
            value = float(text) if text else math.nan
        except ValueError:
            value = math.inf
        if math.isinf(value):
            raise InputError(
                f"{self.path}: {key} is {shown(text)}; allowed: a number or nothing"
            ) from None
        return value

    def integer(self, key: str) -> int:
        """The field as a whole number of at least 0.

        Raises:
            InputError: There is no such column, or the field is no such number.
        """
        value = self.number(key)
        if not value >= 0 or value != int(value):
            raise InputError(
                f"{self.path}: {key} is {shown(self.text(key))}; allowed: a whole number from 0"
            )
        return int(value)


@dataclass(frozen=True)
class Score:
    """A model's cell of Table 1; nan where there is no value."""

    mean: float
    """Over the seeds."""
    std: float
    seeds: int
    paper: float
    deviation: float
    """Ours against the paper's, in percent of the latter."""
    stopping: str = ""
    """What is remarkable about the epochs that its runs were tested at."""


ScoreKey = tuple[str, str, str]
"""(data set id, metric, model id)"""


@dataclass(frozen=True)
class Evidence:
    """An output folder with its configuration; every file is read once."""

    config: Config
    any_code: bool = False
    """Take runs that other code or settings made, too."""

    @property
    def output(self) -> Path:
        """The folder with `runs/`, `tables/` and `figures/`."""
        return self.config.output

    @functools.cached_property
    def rows(self) -> Callable[[Path], list[Row]]:
        """`read_rows`, each file once."""
        return functools.cache(read_rows)

    def table(self, name: str) -> list[Row]:
        """Rows of `tables/<name>.csv`."""
        return self.rows(self.output / "tables" / f"{name}.csv")

    def figure(self, name: str) -> list[Row]:
        """Rows of `figures/<name>.csv`, the numbers behind a figure."""
        return self.rows(self.output / "figures" / f"{name}.csv")

    def printed(self, name: str) -> list[Row]:
        """Rows of a file of published numbers, `workflow/paper/<name>.csv`."""
        return self.rows(paper.FOLDER / f"{name}.csv")

    def recorded(self, name: str) -> list[Row]:
        """Rows of a file of the record that says what was found out; none for runs of one's own."""
        return self.rows(self.config.recorded / name) if self.config.runs == "recorded" else []

    def history(self, run: JsonObject) -> list[Row]:
        """Rows of the history beside a run's `metrics.json`, one for each epoch."""
        return self.rows(run.path.parent / "history.csv")

    @functools.cached_property
    def paper(self) -> PaperTable:
        """The paper's Table 1."""
        return _Printed(paper.load_accuracy())

    @functools.cached_property
    def accuracy_printed(self) -> PaperTable:
        """The paper's Table 1, and Tables 8 and 9 where their data sets are in use."""
        return paper.load_printed(map(self.dataset_name, self.config.use))

    @functools.cached_property
    def paper_datasets(self) -> list[str]:
        """Data sets of the paper's Table 1, as printed."""
        return list(dict.fromkeys(dataset for dataset, _, _ in self.paper))

    @functools.cached_property
    def paper_models(self) -> list[str]:
        """Methods of the paper's Table 1, as printed."""
        return [m for m in dict.fromkeys(m for _, _, m in self.paper) if m not in COMPARED]

    def dataset_name(self, dataset: str) -> str:
        """Name of a data set id, as the tables show it."""
        known = dataset in self.config.datasets
        return self.config.dataset_name(dataset) if known else dataset

    def model_name(self, model: str) -> str:
        """Name of a model id, as the tables show it."""
        try:
            return self.config.model_name(model)
        except InputError:
            return model

    def in_paper(self, dataset: str) -> bool:
        """Whether the paper prints the accuracy on this data set."""
        return self.dataset_name(dataset) in {name for name, _, _ in self.accuracy_printed}

    @functools.cached_property
    def scores(self) -> dict[ScoreKey, Score]:
        """The cells of `table1.csv` that have a run."""
        found = {}
        for row in self.table("table1"):
            score = Score(
                row.number("mean"),
                row.number("std"),
                row.integer("seeds"),
                row.number("paper"),
                row.number("relative_difference_percent"),
                row.text("stopping"),
            )
            if score.seeds:
                found[row.text("dataset"), row.text("metric"), row.text("model")] = score
        return found

    @functools.cached_property
    def sequences(self) -> dict[str, Sequences]:
        """Prepared data sets of the configuration, by display name."""
        paths = {d: self.config.sequences_file(d) for d in self.config.use}
        return {self.dataset_name(d): read_sequences(p) for d, p in paths.items() if p.is_file()}

    @functools.cached_property
    def _collected(self) -> Collected:
        reader = Runs(self.config, "take" if self.any_code else "leave out")
        runs, gaps = reader.read(runs_of_models(self.config))
        sensitivity, _ = reader.read(runs_of_sensitivity(self.config))
        return Collected(_metrics(runs), _metrics(sensitivity), gaps, reader.left_out)

    @functools.cached_property
    def released(self) -> Sequence[JsonObject]:
        """What `elcrec verify released` recorded of published weights."""
        return [JsonObject.read(path) for path in json_files(self.config, "released")]

    @property
    def runs(self) -> Sequence[JsonObject]:
        """`metrics.json` of every finished run of the configuration, of ablation arms too."""
        return self._collected.runs

    @property
    def sensitivity(self) -> Sequence[JsonObject]:
        """`metrics.json` of every run with another value of one hyper-parameter."""
        return self._collected.sensitivity

    @property
    def left_out(self) -> Sequence[Gap]:
        """Finished runs of the configuration that other code or settings made."""
        return self._collected.left_out

    @property
    def absent(self) -> Sequence[Gap]:
        """Runs of the tables that are not there, with the reason."""
        tables = set(product(self.config.use, self.config.models))
        return [gap for gap in self._collected.gaps if (gap.dataset, gap.model) in tables]


class _Printed(dict[tuple[str, str, str], float]):
    """Published numbers; one that is asked for and not there is said to be missing."""

    def __missing__(self, key: tuple[str, str, str]) -> float:
        raise InputError(f"{paper.FOLDER / 'table1.csv'}: has no value of {', '.join(key)}")


def read_rows(path: Path) -> list[Row]:
    """Read a CSV file whose lines that begin with `#` are comments; no file gives no row.

    Raises:
        InputError: A line with more or fewer fields than the header.
    """
    if not path.is_file():
        return []
    header, body = read_csv(path)
    return [Row(path, dict(zip(header, fields, strict=True))) for fields in body]


def mean(values: Sequence[float]) -> float:
    """Mean of the values that are there; nan without any."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


@dataclass(frozen=True)
class Collected:
    """The runs of a configuration, those with another value of one hyper-parameter apart."""

    runs: Sequence[JsonObject]
    sensitivity: Sequence[JsonObject]
    gaps: Sequence[Gap]
    left_out: Sequence[Gap]


def _metrics(runs: Iterable[RunRecord]) -> Sequence[JsonObject]:
    return [JsonObject.read(run.folder / "metrics.json") for run in runs]
