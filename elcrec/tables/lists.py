"""What the recommended lists are like: coverage, evenness, popularity, novelty, and overlap.

From the `top.npz` that runs keep; runs without it are gaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, combinations_with_replacement
from math import nan
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.data.sequences import Sequences
from elcrec.data.statistics import training_users
from elcrec.evaluation.lists import LISTED
from elcrec.files.rows import Row, filled, frame_of, rows_of
from elcrec.runs.lists import top_lists
from elcrec.statistics.lists import gini, jaccard, mean_popularity, novelty, shown
from elcrec.tables import table1
from elcrec.tables.activity import histories_of
from elcrec.tables.document import write_csv, write_table
from elcrec.tables.layout import Named, Names, Table, declared, figures, named
from elcrec.tables.table1 import AccuracyTable

TARGETS = "test items"
"""Row of the users' own test items, as lists of one item."""
MEASURES = ("coverage", "gini", "popularity", "novelty")
COLUMNS = ("dataset", "model", *MEASURES, "seeds")
"""Of `lists.csv`."""
OVERLAP = ("dataset", "model_a", "model_b", "jaccard", "pairs")
"""Of `overlap.csv`; both models are the same between two seeds of one."""

Kept = Mapping[str, Sequence[NDArray[np.integer]]]
"""Model to the lists of each of its seeds that has them."""


def build(sequences: Sequences, lists: Kept) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Build both tables of one data set, without the column `dataset`.

    Args:
        sequences: Its histories.
        lists: The models in the order of the tables; one without lists is a gap.

    Returns:
        `lists.csv`: `coverage`, share of the items that are in a list; `gini` of how often items
        are; `popularity` and `novelty` of the listed items, see `elcrec.statistics.lists`. And
        `overlap.csv`: over the pairs of runs at the same place among the seeds of two models, or
        over the pairs of seeds of one.
    """
    counts = training_users(sequences)
    targets = sequences.items[sequences.offsets[1:] - 1][:, None]

    def measured(listed: NDArray[np.integer]) -> list[float]:
        frequencies = shown(listed, sequences.n_items)
        popular = mean_popularity(listed, counts), novelty(listed, counts, sequences.n_users)
        return [float((frequencies > 0).mean()), gini(frequencies), *popular]

    rows: list[list[object]] = [[TARGETS, *measured(targets), 0]]
    for model, model_lists in lists.items():
        measures = list(map(measured, model_lists))
        means = [fmean(values) for values in zip(*measures, strict=True)] or [nan] * len(MEASURES)
        rows.append([model, *means, len(model_lists)])
    pairs = []
    for a, b in combinations_with_replacement(lists, 2):
        run_pairs = combinations(lists[a], 2) if a == b else zip(lists[a], lists[b], strict=False)
        common = [jaccard(*pair) for pair in run_pairs]
        pairs.append([a, b, fmean(common) if common else nan, len(common)])
    return pd.DataFrame(rows, columns=COLUMNS[1:]), pd.DataFrame(pairs, columns=OVERLAP[1:])


def tables(rows: Sequence[Row], overlap: Sequence[Row], names: Named) -> list[Table]:
    """The rows of both files that have lists: one table of all, and one of pairs per data set."""
    columns = [
        named("Dataset", "dataset", names.dataset_name),
        named("Model", "model", names.model_name),
        figures("Coverage", "coverage", 3),
        figures("Gini", "gini", 3),
        figures("Users of an item", "popularity", 1),
        figures("Novelty (bits)", "novelty", 2),
        figures("Seeds", "seeds", 0),
    ]
    result = [declared("lists", columns, filled(rows, "coverage"), length=str(LISTED))]
    frame = frame_of(overlap, OVERLAP[:3], ["jaccard"]).dropna()
    for dataset, pairs in frame.groupby("dataset", sort=False):
        models = list(dict.fromkeys([*pairs["model_a"], *pairs["model_b"]]))
        wide = pairs.pivot(index="model_a", columns="model_b", values="jaccard")
        wide = wide.reindex(index=models, columns=models)
        wide = wide.fillna(wide.T).reset_index(names="model")
        across = [figures(names.model_name(model), model, 3) for model in models]
        columns = [named("Model", "model", names.model_name), *across]
        name = names.dataset_name(str(dataset))
        table = declared("overlap", columns, rows_of(wide), dataset=name)
        result.append(replace(table, id=f"overlap-{dataset}"))
    return result


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write lists.csv, lists.md, lists.tex and overlap.csv.

    Args:
        config: Names the runs of Table 1.
        folder: Where the files go.
        any_code: Accept runs made by other code, too.

    Raises:
        InputError: A data set has runs but is not prepared, or a file of lists is not valid.
    """
    table = table1.read(config, any_code)
    frames = []
    for dataset, sequences in histories_of(config, table).items():
        pair = build(sequences, _lists_of(table, dataset, sequences.n_items))
        for frame in pair:
            frame.insert(0, "dataset", dataset)
        frames.append(pair)
    empty = (pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=OVERLAP))
    lists, overlap = map(pd.concat, zip(*frames, strict=True)) if frames else empty
    missing = lists[lists["coverage"].isna()].groupby("model", sort=False)["dataset"].agg(list)
    write_table(
        folder,
        "lists",
        lists,
        tables(rows_of(lists), rows_of(overlap), table.names),
        without=[_where(table.names, model, datasets) for model, datasets in missing.items()],
        **table.remarks,
    )
    write_csv(folder / "overlap.csv", overlap)


def _where(names: Names, model: object, datasets: list[str]) -> str:
    """A model, and the data sets if these are not all: `ELCRec on Beauty, Toys`."""
    is_partial = len(datasets) < len(names.datasets)
    suffix = f" on {', '.join(map(names.dataset_name, datasets))}" if is_partial else ""
    return names.model_name(str(model)) + suffix


def _lists_of(table: AccuracyTable, dataset: str, n_items: int) -> Kept:
    runs = {model: table.runs.get((dataset, model), []) for model in table.names.models}
    lists = {model: [top_lists(r, n_items) for r in records] for model, records in runs.items()}
    return {model: [top["test"] for top in arrays if top] for model, arrays in lists.items()}
