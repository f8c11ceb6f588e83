"""The two figures: users per cluster by activity group, and the groups within the largest clusters.

Both show the first seed of B + ELCM, and of B + k-means beside it.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from elcrec.config.industrial import CLUSTERED, MODELS
from elcrec.figures import style
from elcrec.figures.drawn import Drawn, drawn
from elcrec.figures.style import SERIES
from elcrec.industrial.features import GROUPS
from elcrec.industrial.runs import Evidence

SHOWN = CLUSTERED[::-1]
CHOSEN = 5
"""Clusters whose groups are shown: the largest."""
COLUMNS = ["model", "seed", "rank", "cluster", "group", "users"]


def draw(evidence: list[Evidence], clusters: int) -> Iterator[tuple[str, Drawn]]:
    """Both figures with their names, of each data set with known users.

    Args:
        evidence: The data sets with their runs.
        clusters: Number K.
    """
    for one in evidence:
        if one.has_users:
            numbers = counts(one, clusters)
            with style.look():
                yield f"clusters-{one.id}", users_per_cluster(one, numbers)
                yield f"groups-{one.id}", groups_in_clusters(one, numbers)


def counts(one: Evidence, clusters: int) -> pd.DataFrame:
    """Users of each group in each cluster, by model, the largest cluster first; and shares."""
    found = []
    for model in SHOWN:
        for run in one.runs[model][:1]:
            assert run.clusters is not None
            sizes = np.bincount(run.clusters, minlength=clusters)
            for rank, cluster in enumerate(np.argsort(-sizes, kind="stable"), 1):
                inside = one.table.group[run.clusters == cluster]
                of_groups = np.bincount(inside, minlength=len(GROUPS))
                key = model, run.record.seed, rank, int(cluster)
                found += [(*key, *pair) for pair in zip(GROUPS, of_groups.tolist(), strict=True)]
    frame = pd.DataFrame(found, columns=COLUMNS)
    for by in ("group", "cluster"):
        whole = frame.groupby(["model", by])["users"].transform("sum").clip(lower=1)
        frame[f"percent_of_{by}"] = 100 * frame["users"] / whole
    return frame


def users_per_cluster(one: Evidence, numbers: pd.DataFrame) -> Drawn:
    """A row of bars for each group of users, a column for each model."""
    figure, axes = style.panels(len(GROUPS), len(SHOWN), 0.85)
    for column, model in zip(axes.T, SHOWN, strict=True):
        column[0].set_title(MODELS[model])
        column[-1].set_xlabel("cluster, the largest first")
        of_model = numbers[numbers["model"] == model]
        for axis, group in zip(column, GROUPS, strict=True):
            chosen = of_model[of_model["group"] == group]
            if chosen.empty:
                style.say_missing(axis)
                continue
            axis.bar(chosen["rank"], chosen["percent_of_group"], color=SERIES[0].color)
            axis.set_xticks(chosen["rank"], chosen["rank"], fontsize=6)
            axis.set_ylim(0, 1.05 * of_model["percent_of_group"].max())
    for axis, group in zip(axes[:, 0], GROUPS, strict=True):
        axis.set_ylabel(f"{group.removesuffix(' activity')}\n% of users")
    return drawn("clusters", figure, numbers, name=one.name, in_use=in_use(one))


def groups_in_clusters(one: Evidence, numbers: pd.DataFrame) -> Drawn:
    """A bar for each of the largest clusters, divided by group; a panel for each model."""
    numbers = numbers[numbers["rank"] <= CHOSEN]
    figure, axes = style.panels(1, len(SHOWN), 2.0)
    for axis, model in zip(axes[0], SHOWN, strict=True):
        axis.set_title(MODELS[model])
        _parted(axis, numbers[numbers["model"] == model])
    style.legend_below(figure, axes[0])
    mix = np.bincount(one.table.group, minlength=len(GROUPS)) / len(one.table.group)
    whole = [f"{share:.0%} {group}" for share, group in zip(mix, GROUPS, strict=True)]
    return drawn("groups", figure, numbers, name=one.name, chosen=CHOSEN, whole=whole)


def in_use(one: Evidence) -> str:
    """How many clusters have at least one user, for each seed of each model."""
    parts = []
    for model in SHOWN:
        found = [
            len(np.unique(run.clusters)) for run in one.runs[model] if run.clusters is not None
        ]
        parts.append(f"{MODELS[model]} {', '.join(map(str, found)) or 'not run'}")
    return f"Clusters with at least one user, by seed: {'; '.join(parts)}."


def _parted(axis: Axes, numbers: pd.DataFrame) -> None:
    if numbers.empty:
        style.say_missing(axis)
        return
    shares = numbers.pivot(index="rank", columns="group", values="percent_of_cluster")[[*GROUPS]]
    left = shares.cumsum(axis=1) - shares
    for group, look in zip(GROUPS, SERIES[: len(GROUPS)], strict=True):
        axis.barh(shares.index, shares[group], left=left[group], label=group, **look.bar)
    sizes = numbers.groupby("rank")["users"].sum()
    axis.set_yticks(sizes.index, [f"{rank}: {users} users" for rank, users in sizes.items()])
    axis.invert_yaxis()
    axis.set(xlabel="% of the cluster's users", xlim=(0, 100))
