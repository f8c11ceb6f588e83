"""The input of the page: records, tables and figures, and the runs that it shows."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from elcrec import paper
from elcrec.config.config import Config
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.jsonfile import read_json
from elcrec.files.rows import Row, frame_of, read_rows, rows_of
from elcrec.paper import PaperTable
from elcrec.runs.places import json_files
from elcrec.runs.plan import (
    ablation_arms,
    runs_of_models,
    runs_of_sensitivity,
    sensitivity_points,
)
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import RunRecord
from elcrec.runs.records import ReleasedRecord
from elcrec.tables import table1
from elcrec.tables.verdict import CELL


@dataclass(frozen=True)
class Evidence:
    """An output folder with its configuration; every file is read once."""

    config: Config
    any_code: bool = False
    """Also accept runs that other code or settings made."""

    @functools.cached_property
    def rows(self) -> Callable[[Path], list[Row]]:
        """`read_rows`, each file once."""
        return functools.cache(read_rows)

    def table(self, name: str) -> list[Row]:
        """Rows of `tables/<name>.csv`."""
        return self.rows(self.config.output / "tables" / f"{name}.csv")

    def figure(self, name: str) -> list[Row]:
        """Rows of `figures/<name>.csv`, the numbers behind a figure."""
        return self.rows(self.config.output / "figures" / f"{name}.csv")

    def printed(self, name: str) -> list[Row]:
        """Rows of a file of published numbers, `workflow/paper/<name>.csv`."""
        return self.rows(paper.FOLDER / f"{name}.csv")

    def recorded(self, name: str) -> list[Row]:
        """Rows of a file of findings in the record; none unless the runs are the recorded ones."""
        return self.rows(self.config.recorded / name) if self.config.runs == "recorded" else []

    def history(self, run: RunRecord) -> list[Row]:
        """Rows of a run's history, one for each epoch."""
        return self.rows(run.folder / "history.csv")

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
        return list(dict.fromkeys(method for _, _, method in paper.of_methods(self.paper)))

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

    @functools.cached_property
    def histories(self) -> dict[str, Sequences]:
        """The histories of every prepared data set of the configuration, by its name."""
        paths = {d: self.config.sequences_file(d) for d in self.config.use}
        return {
            self.dataset_name(dataset): read_sequences(path)
            for dataset, path in paths.items()
            if path.is_file()
        }

    def in_paper(self, dataset: str) -> bool:
        """Whether the paper prints the accuracy on this data set."""
        return self.dataset_name(dataset) in {name for name, _, _ in self.accuracy_printed}

    @functools.cached_property
    def scores(self) -> dict[tuple[str, ...], Any]:
        """The rows of `table1.csv` that have a run, by ids of data set, metric and model."""
        numbers = ["mean", "std", "seeds", "relative_difference_percent"]
        frame = frame_of(self.table("table1"), [*CELL, "stopping"], numbers)
        run = frame[frame["seeds"] > 0].astype({"seeds": int})
        keys = run[CELL].itertuples(index=False, name=None)
        return dict(zip(keys, run.itertuples(), strict=True))

    @functools.cached_property
    def in_paper_metrics(self) -> "Evidence":
        """The evidence for judging the paper's claims, whatever `metrics` the tables show."""
        metrics = self.config.metrics
        if not metrics or set(metrics) == set(TABLE_METRICS):
            return self
        # Predictions from elsewhere decide no claim, and may not suffice for these metrics.
        return _InPaperMetrics(self.config.replaced(metrics=[], external={}), self.any_code)

    @property
    def _reader(self) -> Runs:
        return Runs(self.config, "take" if self.any_code else "leave out")

    @functools.cached_property
    def _collected(self) -> tuple[list[RunRecord], list[RunRecord], list[Gap], list[Gap]]:
        """Runs, those of the sensitivity, gaps, and what is left out of all of them."""
        reader = self._reader
        runs, gaps = reader.read(runs_of_models(self.config))
        sensitivity, _ = reader.read(runs_of_sensitivity(self.config))
        return runs, sensitivity, gaps, reader.left_out

    @property
    def runs(self) -> Sequence[RunRecord]:
        """Every finished run of the configuration, of ablation arms too."""
        return self._collected[0]

    @property
    def sensitivity(self) -> Sequence[RunRecord]:
        """Every run with another value of one hyperparameter."""
        return self._collected[1]

    @property
    def absent(self) -> Sequence[Gap]:
        """Runs of the tables that are missing, with the reason."""
        tables = set(product(self.config.use, self.config.models))
        return [gap for gap in self._collected[2] if (gap.dataset, gap.model) in tables]

    @property
    def left_out(self) -> Sequence[Gap]:
        """Finished runs of the configuration that other code or settings made."""
        return self._collected[3]

    @functools.cached_property
    def released(self) -> Sequence[ReleasedRecord]:
        """What `elcrec verify released` recorded for published weights."""
        return [read_json(p, ReleasedRecord) for p in json_files(self.config, "released")]


class _InPaperMetrics(Evidence):
    """The same for tables and figures that show other metrics; computed from the runs."""

    def table(self, name: str) -> list[Row]:
        """As `Evidence.table`; a table that was not made is not made here."""
        rows = super().table(name)
        if not rows or name not in ("table1", "significance"):
            return rows
        table = self._accuracy
        return rows_of(table.frame() if name == "table1" else table.significance())

    def figure(self, name: str) -> list[Row]:
        """As `Evidence.figure`; a figure that was not drawn is not computed here."""
        rows = super().figure(name)
        if not rows or name not in ("ablation", "sensitivity"):
            return rows
        from elcrec.figures import ablation, sensitivity  # with matplotlib

        if name == "ablation":
            datasets, models = ablation_arms(self.config)
            if not models:
                return rows
            groups = self._reader.find(datasets, models)
            return rows_of(ablation.of_arms(self.config, groups, models[0]))
        points = [(p, self._reader.read([p])[0]) for p in sensitivity_points(self.config)]
        return rows_of(sensitivity.of_points(points, sensitivity.METRIC))

    @functools.cached_property
    def _accuracy(self) -> table1.AccuracyTable:
        return table1.read(self.config, self.any_code)


class _Printed(dict[tuple[str, str, str], float]):
    """Published numbers; a missing one raises an error that names it."""

    def __missing__(self, key: tuple[str, str, str]) -> float:
        raise InputError(f"{paper.FOLDER / 'table1.csv'}: has no value for {', '.join(key)}")
