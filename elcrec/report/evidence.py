"""What the page is made of: records, tables and figures, and the runs that it shows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elcrec import paper
from elcrec.config.config import Config
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.errors import InputError, shown
from elcrec.files.csvfile import read_csv
from elcrec.files.jsonfile import JsonObject
from elcrec.paper import IMPROVEMENT, P_VALUE, PaperTable
from elcrec.runs.history import read_history
from elcrec.runs.plan import AskedRun, runs_of, runs_of_models, runs_of_sensitivity, variant_text
from elcrec.runs.reading import Gap, failure, other_than, present_hashes
from elcrec.runs.record import check_best_epoch

COMPARED = (IMPROVEMENT, P_VALUE)  # columns of the paper's Table 1 that are no method

OTHER = {"code": "made by other code, left out", "settings": "made with other settings, left out"}
"""Why a finished run is not shown."""


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
    def released(self) -> Sequence[JsonObject]:
        """What `elcrec verify released` recorded of published weights."""
        return [JsonObject.read(path) for path in sorted(self.output.glob("released/*/*.json"))]

    @property
    def runs(self) -> Sequence[JsonObject]:
        """`metrics.json` of every finished run of the configuration, of ablation arms too."""
        return [values for run, values, other in self._finished if not (other or run.variant)]

    @property
    def sensitivity(self) -> Sequence[JsonObject]:
        """`metrics.json` of every run with another value of one hyper-parameter."""
        return [values for run, values, other in self._finished if run.variant and not other]

    @property
    def left_out(self) -> list[Gap]:
        """Finished runs of the configuration that other code or settings made."""
        return [
            Gap(run.dataset, run.model, run.seed, _variant(run) + OTHER[other])
            for run, _, other in self._finished
            if other
        ]

    @property
    def absent(self) -> list[Gap]:
        """Runs of the configuration that are not there, with the reason."""
        config = self.config
        return [
            Gap(run.dataset, run.model, run.seed, failure(run.folder))
            for run in runs_of(config, config.use, config.models)
            if not (run.folder / "metrics.json").exists()
        ]

    @functools.cached_property
    def _finished(self) -> list[tuple[AskedRun, JsonObject, str | None]]:
        """Every finished run, its `metrics.json`, and what made it differently if it is left out.

        Raises:
            InputError: A record that is not whole, or a model whose settings are not right.
        """
        config = self.config
        asked = [*runs_of_models(config), *runs_of_sensitivity(config)]
        found = []
        for run in {run.folder: run for run in asked}.values():
            if (run.folder / "metrics.json").exists():
                values = _record(run.folder)
                found.append((run, values, None if self.any_code else _other(config, run, values)))
        return found


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


def _record(folder: Path) -> JsonObject:
    """`metrics.json` of a run, checked against its history."""
    values = JsonObject.read(folder / "metrics.json")
    check_best_epoch(values)
    if (folder / "history.csv").is_file():
        read_history(folder / "history.csv", values.integer("epochs"))
    return values


def _other(config: Config, run: AskedRun, values: JsonObject) -> str | None:
    """What made a run differently than the present would: code, settings or nothing."""
    made = (str(values.values.get("fingerprint")), str(values.values.get("settings")))
    return other_than(made, present_hashes(config, run.model, run.dataset, run.changes))


def _variant(run: AskedRun) -> str:
    return f"{variant_text(run.variant)}: " if run.variant else ""
