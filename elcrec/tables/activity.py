"""Accuracy by user activity: the public counterpart of the paper's Table 4.

That table splits the users of a private app by how active they are. Here each data set's users are
split into five equally large groups by the length of their history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import nan

import numpy as np
from numpy.typing import NDArray

from elcrec.data.sequences import Sequences
from elcrec.errors import InputError
from elcrec.evaluation.metrics import TABLE_METRICS, per_user
from elcrec.runs.comparison import RunsOf, SeedRuns, training_noise, user_values
from elcrec.runs.record import RunRecord
from elcrec.statistics.crossed import Crossed, crossed
from elcrec.statistics.groups import activity_groups
from elcrec.statistics.noise import Pool
from elcrec.statistics.tests import Comparison, holm, mean_std, paired_t

GROUPS = 5


@dataclass(frozen=True)
class GroupCell:
    """One model on one metric of one group; nan and 0 when there is no run."""

    mean: float
    """Over the seeds."""
    std: float
    """Sample standard deviation over the seeds; nan for one seed."""
    seeds: int


@dataclass(frozen=True)
class Lead:
    """The reference model (a) against the baseline (b) in one group, on the same users."""

    mean_a: float
    mean_b: float
    primary: Crossed
    """The group's users and trainings both vary."""
    paired: Comparison
    """Paired t-test over the group's users, these trained weights; its effect is Cohen's d_z."""
    primary_holm: float = nan
    """Holm-corrected over all rows of the table."""
    paired_holm: float = nan

    @property
    def improvement(self) -> float:
        """In percent of the baseline."""
        return 100 * (self.mean_a - self.mean_b) / self.mean_b if self.mean_b else nan


@dataclass(frozen=True)
class GroupRow:
    """One metric of one group of a data set's users."""

    dataset: str
    metric: str
    group: int
    """From 1, the least active."""
    shortest: int
    """Items in the shortest history of the group, validation and test item included."""
    longest: int
    users: int
    cells: Mapping[str, GroupCell]
    """Model id to cell, in the order of the table."""
    lead: Lead | None
    """None without runs of both models."""


def build(
    records: Sequence[RunRecord],
    histories: Mapping[str, Sequences],
    models: Sequence[str],
    *,
    reference: str = "elcrec",
    baseline: str = "iclrec",
) -> list[GroupRow]:
    """Build the table: data set by data set, metric by metric, group by group.

    The groups are those of `elcrec.statistics.groups`.

    Args:
        records: The runs that are present.
        histories: Data set id to its prepared histories, in the order of the table.
        models: Model ids, in the order of the table.
        reference: Model whose lead is shown.
        baseline: Model that it is compared with.

    Raises:
        InputError: A run of other histories than the prepared ones, or fewer users than groups.
    """
    runs = {
        (d, m): [r for r in records if (r.dataset, r.model) == (d, m)]
        for d in histories
        for m in models
    }
    members: dict[str, list[NDArray[np.intp]]] = {}
    for dataset, sequences in histories.items():
        own = [run for (d, _), group in runs.items() if d == dataset for run in group]
        _check(own, sequences, dataset)
        groups = activity_groups(sequences.lengths, GROUPS)
        members[dataset] = [np.flatnonzero(groups == group) for group in range(GROUPS)]
    rows = {}
    for metric, group in product(TABLE_METRICS, range(GROUPS)):
        users = {dataset: found[group] for dataset, found in members.items()}
        pool = training_noise({key: own for key, own in runs.items() if own}, metric, users)
        for dataset, sequences in histories.items():
            lengths = sequences.lengths[users[dataset]]
            rows[dataset, metric, group] = GroupRow(
                dataset=dataset,
                metric=metric,
                group=group + 1,
                shortest=int(lengths.min()),
                longest=int(lengths.max()),
                users=len(lengths),
                cells={m: _cell(runs[dataset, m], metric, users[dataset]) for m in models},
                lead=_lead(runs, (dataset, reference, baseline), metric, users[dataset], pool),
            )
    return _with_holm([rows[key] for key in product(histories, TABLE_METRICS, range(GROUPS))])


def csv_header(models: Sequence[str]) -> list[str]:
    """Return the columns of `activity.csv`."""
    of_models = [f"{model}_{name}" for model in models for name in ("mean", "std", "seeds")]
    return [
        *("dataset", "metric", "group", "shortest", "longest", "users", *of_models),
        *("difference", "improvement_percent", "difference_low95", "difference_high95"),
        *("p", "p_holm", "paired_t_p", "paired_t_p_holm", "cohen_dz"),
    ]


def csv_row(row: GroupRow) -> dict[str, object]:
    """Return a line of `activity.csv`; the last columns are of the reference over the baseline."""
    line = {k: getattr(row, k) for k in ("dataset", "metric", "group")}
    line |= {k: getattr(row, k) for k in ("shortest", "longest", "users")}
    for model, cell in row.cells.items():
        line |= {f"{model}_{name}": value for name, value in vars(cell).items()}
    if row.lead:
        line["difference"] = row.lead.mean_a - row.lead.mean_b
        line["improvement_percent"] = row.lead.improvement
        line["difference_low95"] = row.lead.primary.low
        line["difference_high95"] = row.lead.primary.high
        line["p"] = row.lead.primary.p_value
        line["p_holm"] = row.lead.primary_holm
        line["paired_t_p"] = row.lead.paired.p_value
        line["paired_t_p_holm"] = row.lead.paired_holm
        line["cohen_dz"] = row.lead.paired.effect
    return line


def digest(sequences: Sequences) -> str:
    """Hash of all histories, as that of `elcrec.data.histories.InteractionData`, without torch."""
    whole = hashlib.sha256(np.asarray(sequences.offsets, dtype=np.int64).tobytes())
    whole.update(np.asarray(sequences.items, dtype=np.int64).tobytes())
    return whole.hexdigest()[:16]


def _check(runs: SeedRuns, sequences: Sequences, dataset: str) -> None:
    if sequences.n_users < GROUPS:
        raise InputError(
            f"{dataset}/sequences.txt: has {sequences.n_users} users; {GROUPS} groups need as many"
        )
    found = digest(sequences) if runs else ""
    for run in runs:
        if run.data != found:
            raise InputError(
                f"{run.folder / 'metrics.json'}: data is {run.data}, but the prepared histories of "
                f"{dataset} have {found}; run this training again"
            )


def _cell(runs: SeedRuns, metric: str, users: NDArray[np.intp]) -> GroupCell:
    values = [float(per_user(metric, run.ranks["test"][users]).mean()) for run in runs]
    return GroupCell(*mean_std(values), len(runs))


def _lead(
    runs: RunsOf, who: tuple[str, str, str], metric: str, users: NDArray[np.intp], pool: Pool
) -> Lead | None:
    """In a group of a data set, the first of two models against the second; None without both."""
    dataset, *pair = who
    keys = [(dataset, model) for model in pair]
    if not all(runs.get(key) for key in keys):
        return None
    a, b = (user_values(metric, runs[key])[:, users] for key in keys)
    both = crossed(a, b, *(pool.noise(key) for key in keys))
    return Lead(float(a.mean()), float(b.mean()), both, paired_t(a.mean(0), b.mean(0)))


def _with_holm(rows: Sequence[GroupRow]) -> list[GroupRow]:
    both = holm(row.lead.primary.p_value if row.lead else nan for row in rows)
    users = holm(row.lead.paired.p_value if row.lead else nan for row in rows)
    return [
        replace(row, lead=replace(row.lead, primary_holm=p, paired_holm=q)) if row.lead else row
        for row, p, q in zip(rows, both, users, strict=True)
    ]
