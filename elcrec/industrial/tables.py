"""Gains by task, and by task and activity of the users; the paper's numbers beside them.

Each row compares two models. AUC and log loss are one number for each training, so their interval
and p come from Welch's test over seeds. Per-user AUC has the primary test, on users and trainings.
"""

from collections.abc import Iterator, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from elcrec import paper
from elcrec.config.industrial import MODELS
from elcrec.files.rows import Row, rows_of
from elcrec.industrial import metrics
from elcrec.industrial.features import GROUPS
from elcrec.industrial.runs import Evidence
from elcrec.statistics.crossed import CONFIDENCE, combined_freedom, crossed
from elcrec.statistics.noise import Pool
from elcrec.statistics.tests import holm, welch
from elcrec.tables import layout
from elcrec.tables.layout import GAP, Column, declared, figures, number, word
from elcrec.tables.wording import tested

AUC, PER_USER, LOG_LOSS = METRICS = ("AUC", "per-user AUC", "log loss")
ALL = "all"
PAIRS = (
    ("mmoe_elcm", "mmoe"),
    ("mmoe_kmeans", "mmoe"),
    ("mmoe_elcm", "mmoe_kmeans"),
    ("mmoe", "single"),
)
"""What is compared; the first is the paper's comparison, and the only one within groups."""
COLUMNS = (
    *("table", "dataset", "task", "metric", "group", "model_a", "model_b", "mean_a", "mean_b"),
    *("gain_percent", "low95_percent", "high95_percent", "p", "users", "interactions", "seeds"),
    "p_holm",
)
"""Columns of `industrial.csv`; `table` is tasks, groups or others, differences are a - b."""


def build(evidence: Sequence[Evidence]) -> pd.DataFrame:
    """All comparisons, with the columns `COLUMNS`; those of a data set and table form a family."""
    rows = [row for one in evidence for row in _of_dataset(one)]
    frame = pd.DataFrame(rows, columns=COLUMNS[:-1])
    frame["p_holm"] = frame.groupby(["dataset", "table"])["p"].transform(holm)
    return frame


def _of_dataset(one: Evidence) -> Iterator[tuple[Any, ...]]:
    test = one.table.rows("test")
    user, labels = one.table.user[test], one.table.labels[test]
    groups = {ALL: np.ones(len(test), dtype=bool)}
    if one.has_users:
        groups |= {name: one.table.group[user] == place for place, name in enumerate(GROUPS)}
    for place, task in enumerate(one.tasks):
        for group, inside in groups.items():
            users = len(np.unique(user[inside])) if one.has_users else nan
            left_out = PER_USER if not one.has_users else LOG_LOSS if group != ALL else ""
            for metric in (metric for metric in METRICS if metric != left_out):
                found = {
                    model: _values(metric, user[inside], labels[inside, place], scores)
                    for model, runs in one.runs.items()
                    if (scores := [run.probabilities[inside, place] for run in runs])
                }
                for a, b in PAIRS if group == ALL else PAIRS[:1]:
                    if found.keys() >= {a, b}:
                        of_all = "tasks" if (a, b) == PAIRS[0] else "others"
                        key = (one.id, task, metric, group, a, b)
                        yield (
                            *(of_all if group == ALL else "groups", *key),
                            *(*_compared(metric, a, b, found), users, int(inside.sum())),
                            f"{len(found[a])}+{len(found[b])}",
                        )


def _values(
    metric: str,
    users: NDArray[np.integer],
    labels: NDArray[np.float32],
    runs: Sequence[NDArray[np.float32]],
) -> NDArray[np.float64]:
    """A metric on some rows: (runs, users who have one), or (runs, 1)."""
    if metric == PER_USER:
        return np.array([metrics.auc_by(users, labels, scores) for scores in runs])
    of_run = metrics.auc if metric == AUC else metrics.log_loss
    return np.array([[of_run(labels, scores)] for scores in runs])


def _compared(metric: str, a: str, b: str, found: dict[str, NDArray[np.float64]]) -> list[float]:
    """Means of a and b, gain of a over b, its interval, and p."""
    first, second = found[a], found[b]
    if not first.size:
        return [nan] * 6
    means, low, high, p = (float(first.mean()), float(second.mean())), nan, nan, nan
    if metric == PER_USER:
        pool = Pool.of({("", model): values.mean(1).tolist() for model, values in found.items()})
        primary = crossed(first, second, pool.noise(("", a)), pool.noise(("", b)))
        low, high, p = primary.low, primary.high, primary.p_value
    elif min(len(first), len(second)) > 1 and np.isfinite(means).all():
        of_a, of_b = (float(values.var(ddof=1) / len(values)) for values in (first, second))
        freedom = combined_freedom(of_a, len(first) - 1, of_b, len(second) - 1)
        half = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * (of_a + of_b) ** 0.5
        low, high = means[0] - means[1] - half, means[0] - means[1] + half
        p = welch(first[:, 0], second[:, 0]).p_value
    ends = [100 * end / means[1] for end in (low, high)]
    return [*means, metrics.gain(*means), *ends, p]


def shown(frame: pd.DataFrame, names: dict[str, str]) -> list[layout.Table]:
    """The comparisons as tables: by task, by group, and of the other pairs of models.

    Args:
        frame: What `build` returns.
        names: Names of the data sets, by id.
    """
    named = {"dataset": names, "model_a": MODELS, "model_b": MODELS}
    frame = frame.assign(**{column: frame[column].map(known) for column, known in named.items()})
    tasks, groups, others = (
        frame[frame["table"] == table] for table in ("tasks", "groups", "others")
    )
    by_task, by_group = paper.load_gains(3), paper.load_gains(4)
    printed = pd.DataFrame(
        [
            {"dataset": f"Paper: {where}", "task": metric, "paper": value}
            for (where, metric), value in by_task.items()
        ]
    )
    both = [found.reindex(columns=[*COLUMNS, "paper"]) for found in (tasks, printed)]
    of_paper = {k: [by_group[name, k] for name in groups["group"]] for k in ("PVCTR", "VV")}
    keys = [word("Data set", "dataset"), word("Task", "task"), word("Metric", "metric")]
    gain = [
        figures("Gain %", "gain_percent", 2),
        Column("95 %", _interval),
        tested("p (Holm)", "p"),
    ]
    ours = [figures("B", "mean_b"), figures("B + ELCM", "mean_a"), *gain]
    pair = [word("Model", "model_a"), word("against", "model_b")]
    of_group = [word("Users", "group"), figures("Number", "users", 0), *ours]
    beside = [figures(f"Paper {metric} %", metric, 2) for metric in of_paper]
    return [
        declared(
            "industrial-tasks",
            [*keys, *ours, figures("Paper %", "paper", 2)],
            [row for part in both for row in rows_of(part)],
        ),
        declared(
            "industrial-groups",
            [*keys, *of_group, *beside],
            rows_of(groups.assign(**of_paper)),
        ),
        declared(
            "industrial-others",
            [*keys, *pair, figures("Model's", "mean_a"), figures("Other's", "mean_b"), *gain],
            rows_of(others),
        ),
    ]


def _interval(row: Row) -> str:
    ends = [number(row.number(f"{end}95_percent"), 2) for end in ("low", "high")]
    return GAP if GAP in ends else f"[{', '.join(ends)}]"
