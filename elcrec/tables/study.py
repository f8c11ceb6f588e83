"""What the clustering really does: accuracy and clusters of models that differ in it."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.data.ids import read_ids
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.data.table import read_columns
from elcrec.files.rows import Row, rows_of
from elcrec.runs.comparison import SeedRuns, compare_runs
from elcrec.runs.reading import history
from elcrec.runs.record import RunRecord
from elcrec.runs.snapshots import Snapshots, snapshots
from elcrec.statistics import comparison
from elcrec.statistics.clusterings import above_chance, adjusted_rand
from elcrec.statistics.comparison import with_holm
from elcrec.statistics.groups import GROUPS, activity_groups
from elcrec.tables import table1
from elcrec.tables.document import write_table
from elcrec.tables.layout import Column, Named, Table, declared, figures, named, with_interval
from elcrec.tables.table1 import AccuracyTable
from elcrec.tables.wording import LEAD, lead, tested

METRICS = ("HR@20", "NDCG@20")
COMPARED = METRICS[-1]
OF_HISTORY = ("user_cosine", "center_cosine")
"""Columns of a history that are read at the tested epoch."""
CLUSTERS = ("in_use", "largest_percent", *OF_HISTORY, "activity_bits", "genre_bits", "stability")
AHEAD = LEAD[:-2]
"""Columns of `significance.csv`: the primary test."""
COLUMNS = [
    *("dataset", "model", "seeds"),
    *(f"{metric}{end}" for metric in METRICS for end in ("", " low95", " high95")),
    *AHEAD,
    *CLUSTERS,
]
"""Of `study.csv`."""
Traits = Mapping[str, NDArray[Any]]
"""Groups of the users of a data set, (users,), by trait: activity, genre."""


def build(table: AccuracyTable, traits: Mapping[str, Traits]) -> pd.DataFrame:
    """`study.csv`: a row for each data set and model that has runs.

    Its columns are mean and interval of `METRICS`; those of `significance.csv` for NDCG@20 of the
    model against the reference; and of the clusters with the tested weights, means over seeds:
    `in_use`, centers with a user; `largest_percent`, users in the largest cluster; cosines as in
    the history; `activity_bits` and `genre_bits`, mutual information with the traits above chance;
    and `stability`, the adjusted Rand index of two seeds' clusters, mean over pairs.
    """
    runs = table.runs
    comparisons = with_holm(
        compare_runs("study", COMPARED, group, runs[d, table.reference], table.pools[COMPARED])
        for (d, m), group in runs.items()
        if m != table.reference and (d, table.reference) in runs
    )
    leads = {
        (c.dataset, c.model_a): {name: comparison.csv_row(c)[name] for name in AHEAD}
        for c in comparisons
    }
    rows = []
    for key in ((d, m) for d in table.names.datasets for m in table.names.models if (d, m) in runs):
        row: dict[str, Any] = {"dataset": key[0], "model": key[1], "seeds": len(runs[key])}
        for metric in METRICS:
            cell = table.cells[key[0], metric, key[1]]
            interval = {f"{metric} low95": cell.low95, f"{metric} high95": cell.high95}
            row |= {metric: cell.mean, **interval}
        rows.append(row | leads.get(key, {}) | clusters(runs[key], traits[key[0]]))
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def clusters(runs: SeedRuns, traits: Traits) -> dict[str, float]:
    """Measures of the clusters in the runs of a model; empty for a model without clusters."""
    clustered = [(run, snapshot) for run in runs if (snapshot := snapshots(run))]
    if not clustered:
        return {}
    means = pd.DataFrame([_of_run(run, snapshot, traits) for run, snapshot in clustered]).mean()
    pairs = combinations([snapshot.all_assigned for _, snapshot in clustered], 2)
    stability = [adjusted_rand(a, b) for a, b in pairs]
    measures = {str(name): float(value) for name, value in means.items()}
    return measures | {"stability": float(np.mean(stability)) if stability else nan}


def _of_run(run: RunRecord, snapshot: Snapshots, traits: Traits) -> dict[str, float]:
    sizes = np.bincount(snapshot.all_assigned)
    tested_row = history(run).iloc[run.best_epoch - 1]
    return {
        "in_use": float((sizes > 0).sum()),
        "largest_percent": 100 * float(sizes.max() / sizes.sum()),
        **{name: float(tested_row[name]) for name in OF_HISTORY},
        **{f"{trait}_bits": above_chance(snapshot.all_assigned, g) for trait, g in traits.items()},
    }


def read_traits(config: Config, dataset: str) -> Traits:
    """Groups of users: by length of history, and by genre where the items have some.

    Raises:
        InputError: The data set is not prepared, or a file is not valid.
    """
    sequences = read_sequences(path := config.prepared_file(dataset))
    traits: dict[str, NDArray[Any]] = {}
    traits["activity"] = activity_groups(sequences.lengths, min(GROUPS, sequences.n_users))
    industrial = config.industrial.datasets.get(dataset)
    if industrial and "item" in industrial.files:
        items = config.data / "industrial" / dataset / industrial.files["item"].name
        if items.exists():
            traits["genre"] = genres(sequences, items, read_ids(path.parent).items)
    return traits


def genres(sequences: Sequences, path: Path, ids: Sequence[str]) -> NDArray[np.integer]:
    """The genre of each user, (users,): the one whose share exceeds its mean over users most.

    Args:
        sequences: The histories; all of their items count.
        path: RecBole's atomic file of the items, with genres separated by blanks.
        ids: Raw id of each item, starting with item number 1.
    """
    items = read_columns(path, ("item_id", "class")).set_index("item_id")["class"]
    item_genres = items.str.get_dummies(" ").reindex(list(ids), fill_value=0).to_numpy(np.float64)
    counts = np.add.reduceat(item_genres[sequences.items - 1], sequences.offsets[:-1])
    shares = counts / counts.sum(1, keepdims=True).clip(min=1)
    return (shares - shares.mean(0)).argmax(1)


def shown(rows: Sequence[Row], names: Named, reference: str) -> Table:
    """The rows of `study.csv` as a table."""
    columns = [
        named("Data set", "dataset", names.dataset_name),
        named("Model", "model", names.model_name),
        figures("Seeds", "seeds", 0),
        *(_with_interval(metric) for metric in METRICS),
        *lead(f"Against {reference}"),
        tested("p (Holm)", "p"),
        figures("Centers in use", "in_use", 1),
        figures("Largest (%)", "largest_percent", 1),
        figures("Cosine of users", "user_cosine", 3),
        figures("of centers", "center_cosine", 3),
        figures("Activity (bits)", "activity_bits", 3),
        figures("Genre (bits)", "genre_bits", 3),
        figures("Stability", "stability", 3),
    ]
    return declared("study", columns, rows, reference=reference)


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write study.csv, .md and .tex.

    Args:
        config: Names the runs.
        folder: Where the files go.
        any_code: Accept runs made by other code, too.
    """
    table = table1.read(config, any_code, METRICS)  # whatever the configuration shows
    traits = {d: read_traits(config, d) for d in {dataset for dataset, _ in table.runs}}
    frame = build(table, traits)
    reference = table.names.model_name(table.reference)
    write_table(
        folder,
        "study",
        frame,
        [shown(rows_of(frame), table.names, reference)],
        **table.remarks,
    )


def _with_interval(metric: str) -> Column:
    keys = metric, f"{metric} low95", f"{metric} high95"
    return Column(metric, lambda row: with_interval(*map(row.number, keys)))
