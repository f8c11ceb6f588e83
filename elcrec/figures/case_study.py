"""Case study: which intents do users of low, medium and high activity have?"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from elcrec.figures import style
from elcrec.figures.drawn import Drawn, drawn, single
from elcrec.runs.reading import Runs
from elcrec.statistics.groups import activity_groups

GROUPS = ("low", "medium", "high")
EXTREMES = 4
"""Intents shown at the top and at the bottom of each group."""
COLUMNS = ["intent", "group", "users", "share_of_group", "share_of_all", "mix_of_intent"]
CHOSEN = 3
"""Intents whose mix is shown, by group."""


def draw(runs: Runs, dataset: str) -> Drawn:
    """Shares per intent, top and bottom intents of each group, mix of groups in chosen intents."""
    run = single(runs, dataset)
    lengths = runs.lengths(dataset, [run.record]) if run.record and run.found else np.array([])
    if run.found is None or len(lengths) < len(GROUPS):
        reason = f"fewer than {len(GROUPS)} users" if run.found else run.missing
        empty = pd.DataFrame(columns=COLUMNS)
        return drawn("case_study", style.empty(reason), empty, run=run, missing=reason)
    groups = activity_groups(lengths, len(GROUPS))
    counts = users(run.found.all_assigned, groups)
    stats = [
        {
            "name": name,
            "shortest": lengths[groups == group].min(),
            "longest": lengths[groups == group].max(),
            "typical": (most := typical(counts, name)[0]),
            "of_group": of_group(counts)[name][most],
            "of_all": of_all(counts)[most],
        }
        for group, name in enumerate(GROUPS)
    ]
    figure, numbers = _draw(counts), _numbers(counts)
    return drawn("case_study", figure, numbers, run=run, missing="", used=len(counts), groups=stats)


def users(assigned: NDArray[np.integer], groups: NDArray[np.integer]) -> pd.DataFrame:
    """Count users, (users,) and (users,), by intent, the largest first, and group (columns)."""
    counts = pd.crosstab(assigned, groups).set_axis([*GROUPS], axis=1)
    sizes = counts.sum(axis=1).sort_values(ascending=False, kind="stable")
    return counts.loc[sizes.index]


def of_group(counts: pd.DataFrame) -> pd.DataFrame:
    """Share of the group's users in each intent; columns sum to 1."""
    return counts / counts.sum()


def of_all(counts: pd.DataFrame) -> pd.Series:
    """Share of all users in each intent."""
    return counts.sum(axis=1) / counts.to_numpy().sum()


def mix(counts: pd.DataFrame) -> pd.DataFrame:
    """Share of each group in the intent; rows sum to 1."""
    return counts.div(counts.sum(axis=1), axis=0)


def lift(counts: pd.DataFrame) -> pd.DataFrame:
    """Share of the group minus share of all users."""
    return of_group(counts).sub(of_all(counts), axis=0)


def typical(counts: pd.DataFrame, group: str) -> list[int]:
    """Intents with no fewer users than the average one, the largest lift first."""
    large = of_all(counts) >= of_all(counts).mean()
    return list(lift(counts)[group][large].sort_values(ascending=False, kind="stable").index)


def _draw(counts: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(style.WIDTH, 6.6), layout="constrained")
    mosaic = figure.subplot_mosaic([["a", "a", "a"], ["b", "c", "d"], ["e", "e", "e"]])
    _draw_shares(mosaic["a"], counts)
    for letter, group, look in zip("bcd", GROUPS, style.SERIES, strict=False):
        _draw_extremes(mosaic[letter], counts, group, look)
        mosaic[letter].set_title(f"({letter}) {group} activity")
    mosaic["b"].set_ylabel("intent")
    _draw_mix(mosaic["e"], counts)
    style.legend_below(figure, [mosaic["a"]])
    return figure


def _draw_shares(axis: Axes, counts: pd.DataFrame) -> None:
    x = np.arange(1, len(counts) + 1)
    line_style: Any = {"markersize": 2.5, "linewidth": 0.8}
    for look, (group, shares) in zip(style.SERIES, of_group(counts).items(), strict=False):
        axis.plot(x, 100 * shares, label=f"{group} activity", **look.line, **line_style)
    axis.set_yscale("log", nonpositive="mask")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_title("(a) users per intent")
    axis.set(xlabel="intent, by its share of all users", ylabel="share of the group (%)")


def _draw_extremes(axis: Axes, counts: pd.DataFrame, group: str, look: style.Series) -> None:
    intents = typical(counts, group)
    if len(intents) > 2 * EXTREMES:
        intents = intents[:EXTREMES] + intents[-EXTREMES:]
    y = np.arange(len(intents))
    axis.barh(y, 100 * lift(counts)[group][intents], **look.bar)
    axis.axvline(0, color="0.3", linewidth=0.8)
    axis.set_yticks(y, [*map(str, intents)])
    axis.invert_yaxis()
    axis.grid(visible=False)
    axis.set_xlabel("share - share of all (points)")


def _draw_mix(axis: Axes, counts: pd.DataFrame) -> None:
    intents = dict.fromkeys(i for group in GROUPS for i in typical(counts, group)[:CHOSEN])
    chosen_counts = counts.loc[[*intents]]
    x, shares = np.arange(len(chosen_counts)), 100 * mix(chosen_counts)
    bottoms = shares.cumsum(axis=1) - shares
    for group, look in zip(GROUPS, style.SERIES, strict=False):
        axis.bar(x, shares[group], 0.7, bottoms[group], **look.bar)
    for third in (100 / 3, 200 / 3):
        axis.axhline(third, color="0.3", linestyle="--", linewidth=0.8)
    axis.set_xticks(x, [f"{i}\n(n={n:,})" for i, n in chosen_counts.sum(axis=1).items()])
    axis.set_ylim(0, 100)
    axis.grid(visible=False)
    axis.set_title("(e) mix of groups in intents typical of each group")
    axis.set(xlabel="intent (n: its users)", ylabel="share of the intent (%)")


def _numbers(counts: pd.DataFrame) -> pd.DataFrame:
    overall = pd.DataFrame(dict.fromkeys(GROUPS, of_all(counts)))
    parts = [counts, of_group(counts), overall, mix(counts)]
    table = pd.concat([part.stack() for part in parts], axis=1)
    return table.reset_index().set_axis(COLUMNS, axis=1)
