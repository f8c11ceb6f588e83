"""Full metrics beside those that an evaluation against 100 sampled negatives would report.

Many papers report such numbers. They say little about a full ranking and may order models
differently, so they are here only for comparison with a paper's.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.data.sequences import Sequences
from elcrec.data.statistics import training_users
from elcrec.evaluation.metrics import METRICS
from elcrec.evaluation.sampled import NEGATIVES, Chances, by_popularity, expected, uniform
from elcrec.external.record import place
from elcrec.files.rows import Row, frame_of, rows_of
from elcrec.runs.lists import top_lists
from elcrec.runs.record import RunRecord
from elcrec.tables import table1
from elcrec.tables.activity import histories_of
from elcrec.tables.document import write_table
from elcrec.tables.layout import Named, Table, declared, figures, word

WAYS = {
    "full": "all items",
    "uniform": f"{NEGATIVES} uniform",
    "popularity": f"{NEGATIVES} by popularity",
}
"""Columns of `sampled.csv`, and how the shown table names them."""
COLUMNS = ("dataset", "metric", "model", *WAYS, "seeds")


class Candidates:
    """The items of a data set that may be drawn as negatives: those that a user never had."""

    def __init__(self, sequences: Sequences) -> None:
        user_index = np.repeat(np.arange(sequences.n_users), sequences.lengths)
        self.n_items = sequences.n_items
        pairs = np.unique(user_index * (self.n_items + 1) + sequences.items)
        user, item = np.divmod(pairs, self.n_items + 1)
        n_items_had = np.bincount(user, minlength=sequences.n_users)
        self.counts: NDArray[np.int64] = self.n_items - n_items_had
        """(users,) how many there are."""
        popular = training_users(sequences)
        popularity_had = np.bincount(user, popular[item], minlength=sequences.n_users)
        self.popularity: NDArray[np.float64] = np.maximum(popular.sum() - popularity_had, 1)
        """(users,) sum of their numbers of training users."""

    def chances(self, run: RunRecord, places: int) -> dict[str, Chances]:
        """Those of the sampled ranks, for each way of sampling that this run suffices for."""
        ranks = run.ranks["test"]
        if ranks.max() > self.n_items + 1:  # the list ends before the target
            return {}
        result = {"uniform": uniform(ranks, self.counts, places)}
        if lists := top_lists(run, self.n_items):
            result["popularity"] = by_popularity(lists["ahead"] / self.popularity, places)
        return result


def build(
    sequences: Sequences,
    records: Sequence[RunRecord],
    models: Sequence[str],
    metrics: Sequence[str],
) -> pd.DataFrame:
    """`sampled.csv` of one data set, without its column: means over seeds, nan for gaps.

    Args:
        sequences: Its histories.
        records: Its runs.
        models: In the order of the table.
        metrics: Likewise.
    """
    candidates, places = Candidates(sequences), max(map(place, metrics))
    values_by_model: dict[str, list[dict[tuple[str, str], float]]] = {model: [] for model in models}
    for run in records:
        chances = candidates.chances(run, places)
        values = {(m, "full"): run.score(m) for m in metrics}
        values |= {(m, way): expected(m, c) for way, c in chances.items() for m in metrics}
        values_by_model[run.model].append(values)

    def mean(model: str, metric: str, way: str) -> float:
        values = [v.get((metric, way), nan) for v in values_by_model[model]]
        return fmean(values) if values else nan

    rows = [
        (metric, model, *(mean(model, metric, way) for way in WAYS), len(values_by_model[model]))
        for metric in metrics
        for model in models
    ]
    return pd.DataFrame(rows, columns=COLUMNS[1:])


def shown(rows: Sequence[Row], names: Named) -> list[Table]:
    """The rows of the file, a table for each data set with runs, the models across."""
    frame = frame_of(rows, COLUMNS[:3], list(WAYS))
    models = frame["model"].unique()
    tables = []
    for dataset, group in frame.groupby("dataset", sort=False):
        long = group.melt(["metric", "model"], list(WAYS), "way", "mean")
        wide = long.set_index(["metric", "way", "model"])["mean"].unstack(sort=False)
        wide = wide.dropna(how="all").reset_index().replace({"way": WAYS})
        if wide.empty:
            continue
        order = wide["metric"].map(list(group["metric"].unique()).index)
        across = [figures(names.model_name(model), model) for model in models]
        columns = [word("Metric", "metric"), word("Against", "way"), *across]
        lines = rows_of(wide.iloc[np.argsort(order, kind="stable")])
        name = names.dataset_name(str(dataset))
        table = declared("sampled", columns, lines, dataset=name)
        tables.append(replace(table, id=f"sampled-{dataset}"))
    return tables


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write sampled.csv, sampled.md and sampled.tex.

    Args:
        config: Names the runs of Table 1, and the metrics (the recorded ones by default).
        folder: Where the files go.
        any_code: Accept runs made by other code, too.

    Raises:
        InputError: A data set has runs but is not prepared, or a file of lists is not valid.
    """
    table = table1.read(config, any_code)
    frames = [pd.DataFrame(columns=COLUMNS)]
    for dataset, sequences in histories_of(config, table).items():
        records = [record for record in table.records if record.dataset == dataset]
        frame = build(sequences, records, list(table.names.models), config.metrics or METRICS)
        frame.insert(0, "dataset", dataset)
        frames.append(frame)
    combined = pd.concat(frames[1:] or frames)
    write_table(
        folder,
        "sampled",
        combined,
        shown(rows_of(combined), table.names),
        negatives=NEGATIVES,
        **table.remarks,
    )
