"""Accuracy by user activity: the public counterpart of the paper's Table 4; and by popularity.

That table splits the users of a private app by how active they are. Here each data set's users are
split into five equally large groups by the length of their history, and in a second table by how
popular their test item is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.config.config import Config
from elcrec.config.names import BASELINE, REFERENCE
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.data.statistics import training_users
from elcrec.errors import InputError
from elcrec.evaluation.metrics import per_user
from elcrec.files.rows import Row, frame_of, rows_of
from elcrec.runs.comparison import SeedRuns, training_noise, user_values
from elcrec.runs.record import RunRecord
from elcrec.statistics import comparison
from elcrec.statistics.comparison import TESTS, Sample, compare, with_holm
from elcrec.statistics.groups import GROUPS, activity_groups
from elcrec.statistics.tests import mean_std
from elcrec.tables import table1
from elcrec.tables.document import write_csv, write_table
from elcrec.tables.layout import Column, Named, Table, declared, figures, number, word
from elcrec.tables.table1 import AccuracyTable
from elcrec.tables.wording import LEAD, lead, tested

GROUP = ["dataset", "metric", "group"]


@dataclass(frozen=True)
class Kind:
    """A table by groups of users; its name is that of the files, the caption and the template."""

    of_users: Callable[[Sequences], NDArray[np.integer]]
    """(users,) what users are grouped by."""
    title: str
    """Column title in the shown table."""
    ends: tuple[str, str]
    """Columns for the least and the most in a group."""

    @property
    def size(self) -> list[str]:
        """Columns that describe a group."""
        return [*self.ends, "users"]


KINDS = {
    "activity": Kind(lambda s: s.lengths, "History", ("shortest", "longest")),
    "popularity": Kind(
        lambda s: training_users(s)[s.items[s.offsets[1:] - 1]],
        "Users of the item",
        ("rarest", "commonest"),
    ),
}


def build(
    table: AccuracyTable,
    histories: Mapping[str, Sequences],
    *,
    kind: str = "activity",
    reference: str = REFERENCE,
    baseline: str = BASELINE,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Build the table: data set by data set, metric by metric, group by group.

    The groups are those of `elcrec.statistics.groups`.

    Args:
        table: Table 1 of the same runs, models and metrics.
        histories: Data set id to its prepared histories, in the order of the table.
        kind: One of `KINDS`.
        reference: Model whose lead is shown.
        baseline: Model that it is compared with.

    Returns:
        `activity.csv`: a row per group and model, groups from 1, the least active; `shortest` and
        `longest` are items in its histories, validation and test item included (by popularity:
        `rarest` and `commonest`, training users of the test item). And `activity_leads.csv`: for
        each group with runs of both, the reference (a) against the baseline (b) as in
        `significance.csv`; all rows are one Holm family.

    Raises:
        InputError: A run on other histories than the prepared ones.
        ValueError: A data set with fewer users than groups.
    """
    models, metrics = table.names.models, table.pools
    runs = {key: table.runs[key] for key in product(histories, models) if key in table.runs}
    values = {dataset: KINDS[kind].of_users(sequences) for dataset, sequences in histories.items()}
    groups = {dataset: activity_groups(sizes, GROUPS) for dataset, sizes in values.items()}
    for dataset, sequences in histories.items():
        _check(sequences, table.records, dataset)
    keys = list(product(metrics, range(GROUPS)))
    # The training noise of a group is that of its own users, from all models and data sets.
    pools = {}
    for metric, group in keys:
        group_users = {d: np.flatnonzero(assigned == group) for d, assigned in groups.items()}
        pools[metric, group] = training_noise(runs, metric, group_users)
    rows, comparisons = [], {}  # the latter by data set, metric and group: one Holm family
    for dataset, (metric, group) in product(histories, keys):
        users = np.flatnonzero(groups[dataset] == group)
        group_sizes = values[dataset][users]
        place = dataset, metric, group + 1
        size = int(group_sizes.min()), int(group_sizes.max()), len(group_sizes)
        samples = {m: _sample(runs[d, m], metric, users) for d, m in runs if d == dataset}
        for model in models:
            seeds = samples[model].seeds if model in samples else []
            rows.append([*place, *size, model, *mean_std(seeds), len(seeds)])
        if {reference, baseline} <= samples.keys():
            pair = samples[reference], samples[baseline]
            comparisons[place] = compare(kind, metric, *pair, pools[metric, group])
    leads = [comparison.csv_row(c) for c in with_holm(comparisons.values())]
    lead_frame = pd.DataFrame(leads, columns=comparison.COLUMNS)
    lead_frame.insert(0, "group", [group for _, _, group in comparisons])
    columns = [*GROUP, *KINDS[kind].size, "model", "mean", "std", "seeds"]
    return pd.DataFrame(rows, columns=columns), lead_frame


def shown(
    rows: Sequence[Row], leads: Sequence[Row], names: Named, kind: str = "activity"
) -> dict[str, Table]:
    """The rows of both files as a table for each data set with runs, by name; models across."""
    size = KINDS[kind].size
    means = frame_of(rows, [*GROUP, "model"], [*size, "mean"])
    models = means["model"].unique()
    wide = means.set_index([*GROUP, *size, "model"])["mean"].unstack(sort=False)
    wide = wide.reset_index(size).join(frame_of(leads, GROUP, LEAD).set_index(GROUP))
    columns = [
        word("Metric", "metric"),
        word("Group", "group"),
        Column(KINDS[kind].title, partial(_range, KINDS[kind].ends), left=True),
        figures("Users", "users", 0),
        *(figures(names.model_name(model), model) for model in models),
        *lead("Improvement"),
        tested("p (Holm)", "p"),
        tested(TESTS["paired"].title, TESTS["paired"].p_column),
    ]
    tables = {}
    run = wide[wide[models].notna().any(axis=1)].index.unique("dataset")
    for dataset, frame in wide.loc[run].reset_index().groupby("dataset", sort=False):
        name = names.dataset_name(str(dataset))
        table = declared(kind, columns, rows_of(frame), dataset=name)
        tables[name] = replace(table, id=f"{kind}-{dataset}")
    return tables


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write <kind>.csv, <kind>_leads.csv, <kind>.md and <kind>.tex of each of `KINDS`.

    A data set that is not prepared and has no run, or has fewer users than groups, is left out and
    named in the notes.

    Args:
        config: Names the runs of Table 1.
        folder: Where the files go.
        any_code: Accept runs made by other code, too.

    Raises:
        InputError: A data set has runs but is not prepared, or they are of other histories.
    """
    table = table1.read(config, any_code)
    histories = histories_of(config, table)
    too_small = {d: s.n_users for d, s in histories.items() if s.n_users < GROUPS}
    histories = {d: s for d, s in histories.items() if d not in too_small}
    left_out = [
        f"Left out: {table.names.dataset_name(d)} has {n} users; the groups need at least {GROUPS}."
        for d, n in too_small.items()
    ]
    for kind in KINDS:
        frame, leads = build(table, histories, kind=kind)
        tables = shown(rows_of(frame), rows_of(leads), table.names, kind)
        write_table(
            folder,
            kind,
            frame,
            list(tables.values()),
            titles=list(tables),
            groups=GROUPS,
            **table.remarks | {"missing": left_out + table.remarks["missing"]},
        )
        write_csv(folder / f"{kind}_leads.csv", leads)


def _range(ends: tuple[str, str], row: Row) -> str:
    least, most = (number(row.number(key), 0) for key in ends)
    return most if least == most else f"{least}–{most}"


def histories_of(config: Config, table: AccuracyTable) -> dict[str, Sequences]:
    """The histories of the data sets that have runs or are prepared.

    Raises:
        InputError: One has runs and is not prepared, or they are of other histories.
    """
    run = {dataset for dataset, _ in table.runs}
    datasets = [d for d in table.names.datasets if d in run or config.sequences_file(d).exists()]
    histories = {d: read_sequences(config.prepared_file(d)) for d in datasets}
    for dataset, sequences in histories.items():
        _check(sequences, table.records, dataset)
    return histories


def _check(sequences: Sequences, records: Sequence[RunRecord], dataset: str) -> None:
    """Raise `InputError` for a run on other histories than the prepared ones of its data set."""
    digest = sequences.digest()
    for run in (record for record in records if record.dataset == dataset):
        if run.data != digest:
            raise InputError(
                f"{run.folder / 'metrics.json'}: data is {run.data}, but the prepared histories of "
                f"{dataset} have {digest}; run this training again"
            )


def _sample(runs: SeedRuns, metric: str, users: NDArray[np.intp]) -> Sample:
    """A metric of these users in the runs of one model."""
    values = [float(per_user(metric, run.ranks["test"][users]).mean()) for run in runs]
    return Sample(runs[0].dataset, runs[0].model, values, user_values(metric, runs)[:, users])
