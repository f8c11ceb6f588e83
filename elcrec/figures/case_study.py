"""Case study: which intents do users of low, medium and high activity have?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from elcrec.figures import style
from elcrec.figures.drawn import Drawn
from elcrec.runs.plan import single_seed
from elcrec.runs.reading import Runs
from elcrec.runs.snapshots import snapshots
from elcrec.statistics.groups import activity_groups

GROUPS = ("low", "medium", "high")
EXTREMES = 4
"""Intents shown at the top and at the bottom of each group."""
CHOSEN = 3
"""Intents whose mix is shown, by group."""


@dataclass(frozen=True)
class Shares:
    """How users of each group spread over the intents in use."""

    intents: NDArray[np.int64]
    """(I,) intents with at least one user, the largest first."""
    counts: NDArray[np.int64]
    """(I, groups) users."""

    @property
    def of_group(self) -> NDArray[np.float64]:
        """(I, groups) share of the group's users; columns sum to 1."""
        return self.counts / self.counts.sum(axis=0)

    @property
    def of_all(self) -> NDArray[np.float64]:
        """(I,) share of all users."""
        return np.asarray(self.counts.sum(axis=1) / self.counts.sum())

    @property
    def lift(self) -> NDArray[np.float64]:
        """(I, groups) share of the group minus share of all users."""
        return self.of_group - self.of_all[:, None]

    def by_lift(self, group: int) -> NDArray[np.int64]:
        """Rows of intents with no fewer users than the average one, the largest lift first."""
        large = np.flatnonzero(self.of_all >= self.of_all.mean())
        return large[np.argsort(-self.lift[large, group], kind="stable")]

    def extremes(self, group: int) -> NDArray[np.int64]:
        """Rows of the group's top and bottom intents, from the top down, each once."""
        order = self.by_lift(group)
        return order if len(order) <= 2 * EXTREMES else np.delete(order, np.s_[EXTREMES:-EXTREMES])

    def chosen(self) -> NDArray[np.int64]:
        """Rows of the intents that are most typical of each group, group by group, each once."""
        rows = [row for group in range(len(GROUPS)) for row in self.by_lift(group)[:CHOSEN]]
        return np.array(list(dict.fromkeys(rows)), dtype=np.int64)


def draw(runs: Runs, dataset: str) -> Drawn:
    """Shares per intent, top and bottom intents of each group, mix of groups in chosen intents."""
    config = runs.config
    model, seed = config.figures.intents_of, single_seed(config)
    name = f"{config.model_name(model)} on {config.dataset_name(dataset)}"
    title = f"Case study: activity and intents, {name}"
    record = runs.run(dataset, model, seed)
    found = snapshots(record) if record else None
    if record is None or found is None:
        reason = "not recorded" if record else "not run"
        figure, axes = style.panels(1, 1, 2.2)
        style.say_missing(axes[0][0], reason)
        text = f"Shares of users per intent, {name}, seed {seed}: {reason}."
        return Drawn(figure, _numbers(None), title, text, f"Empty figure: {reason}.")
    lengths = runs.lengths(dataset, [record])
    groups = activity_groups(lengths, len(GROUPS))
    result = shares(found.all_assigned, groups)
    caption = (
        f"All users of {name}, seed {seed}, with the tested weights: {len(result.intents)} of "
        f"{found.intents} intents are in use. Groups are thirds of the users by length of history "
        f"({_spans(lengths, groups)}). (a) Share of each group's users per intent, "
        "intents ordered by their share of all users; no point where nobody has it. "
        "(b-d) The intents whose share in the group exceeds their share of all users most, and "
        "those where it falls short most, in percentage points. (e) Mix of groups in the intents "
        "most typical of each group; the dashed lines are thirds. Panels (b-e) leave out intents "
        "with fewer users than the average one."
    )
    return Drawn(_draw(result), _numbers(result), title, caption, _alt(name, result))


def shares(assigned: NDArray[np.integer], groups: NDArray[np.integer]) -> Shares:
    """Count users by intent and group: (users,) and (users,)."""
    intents, row = np.unique(assigned, return_inverse=True)
    counts = np.zeros((len(intents), len(GROUPS)), dtype=np.int64)
    np.add.at(counts, (row, groups), 1)
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    return Shares(intents[order].astype(np.int64), counts[order])


def _draw(result: Shares) -> Figure:
    figure = Figure(figsize=(style.WIDTH, 6.6), layout="constrained")
    mosaic = figure.subplot_mosaic([["a", "a", "a"], ["b", "c", "d"], ["e", "e", "e"]])
    _draw_shares(mosaic["a"], result)
    for group, letter in enumerate("bcd"):
        _draw_extremes(mosaic[letter], result, group)
        mosaic[letter].set_title(f"({letter}) {GROUPS[group]} activity")
    mosaic["b"].set_ylabel("intent")
    _draw_mix(mosaic["e"], result)
    style.legend_below(figure, [mosaic["a"]])
    return figure


def _draw_shares(axis: Axes, result: Shares) -> None:
    places = np.arange(1, len(result.intents) + 1)
    for group, name in enumerate(GROUPS):
        look = style.SERIES[group]
        axis.plot(
            places,
            100 * result.of_group[:, group],
            color=look.color,
            linestyle=look.line,
            marker=look.marker,
            markersize=2.5,
            linewidth=0.8,
            label=f"{name} activity",
        )
    axis.set_yscale("log", nonpositive="mask")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_title("(a) users per intent")
    axis.set_xlabel("intent, by its share of all users")
    axis.set_ylabel("share of the group (%)")


def _draw_extremes(axis: Axes, result: Shares, group: int) -> None:
    rows = result.extremes(group)
    look = style.SERIES[group]
    bars = axis.barh(np.arange(len(rows)), 100 * result.lift[rows, group], color=look.color)
    for bar in bars:
        bar.set(hatch=look.hatch, edgecolor="white")
    axis.axvline(0, color="0.3", linewidth=0.8)
    axis.set_yticks(np.arange(len(rows)), [str(i) for i in result.intents[rows]])
    axis.invert_yaxis()
    axis.grid(visible=False)
    axis.set_xlabel("share - share of all (points)")


def _draw_mix(axis: Axes, result: Shares) -> None:
    rows = result.chosen()
    mix = 100 * result.counts[rows] / result.counts[rows].sum(axis=1, keepdims=True)
    bottom = np.zeros(len(rows))
    for group in range(len(GROUPS)):
        look = style.SERIES[group]
        axis.bar(
            np.arange(len(rows)),
            mix[:, group],
            0.7,
            bottom,
            color=look.color,
            hatch=look.hatch,
            edgecolor="white",
        )
        bottom += mix[:, group]
    for third in (100 / 3, 200 / 3):
        axis.axhline(third, color="0.3", linestyle="--", linewidth=0.8)
    sizes = result.counts[rows].sum(axis=1)
    labels = [f"{i}\n(n={n:,})" for i, n in zip(result.intents[rows], sizes, strict=True)]
    axis.set_xticks(np.arange(len(rows)), labels)
    axis.set_ylim(0, 100)
    axis.grid(visible=False)
    axis.set_title("(e) mix of groups in intents typical of each group")
    axis.set_xlabel("intent (n: its users)")
    axis.set_ylabel("share of the intent (%)")


def _numbers(result: Shares | None) -> pd.DataFrame:
    columns = ["intent", "group", "users", "share_of_group", "share_of_all", "mix_of_intent"]
    if result is None:
        return pd.DataFrame(columns=columns)
    shape = result.counts.shape
    values = (
        np.repeat(result.intents, shape[1]),
        np.tile(GROUPS, shape[0]),
        result.counts.ravel(),
        result.of_group.ravel(),
        np.repeat(result.of_all, shape[1]),
        (result.counts / result.counts.sum(axis=1, keepdims=True)).ravel(),
    )
    return pd.DataFrame(dict(zip(columns, values, strict=True)))


def _spans(lengths: NDArray[np.int64], groups: NDArray[np.int8]) -> str:
    parts = []
    for group, name in enumerate(GROUPS):
        members = lengths[groups == group]
        parts.append(f"{name}: {members.min()} to {members.max()} items")
    return ", ".join(parts)


def _alt(name: str, result: Shares) -> str:
    parts = []
    for group, group_name in enumerate(GROUPS):
        row = result.by_lift(group)[0]
        share, of_all = result.of_group[row, group], result.of_all[row]
        parts.append(
            f"{group_name}: intent {result.intents[row]} ({share:.1%} of the group, {of_all:.1%} "
            "of all users)"
        )
    return (
        f"Line chart, bar charts and stacked bars of users of {name} by intent and activity. Most "
        f"typical intent of each group: {'; '.join(parts)}."
    )
