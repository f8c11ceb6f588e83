"""The figure of `elcrec bench --scale`; readable without colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from elcrec.files.atomic import replaced
from elcrec.tables.layout import number

LABELS = {
    "users": "users",
    "items": "items",
    "max_length": "window length L (items)",
    "intents": "intents K",
}
LINES: dict[str, dict[str, Any]] = {
    "step": {"label": "training step", "marker": "o", "linestyle": "-", "color": "0.0"},
    "epoch": {"label": "epoch (computed)", "marker": "s", "linestyle": "--", "color": "0.35"},
    "evaluation": {"label": "evaluation", "marker": "^", "linestyle": ":", "color": "0.55"},
}
MEMORY: dict[str, dict[str, Any]] = {
    "memory_bytes": {"label": "all", "marker": "D", "linestyle": "-", "color": "0.0"},
    "evaluation_bytes": {"label": "an evaluation", "marker": "v", "linestyle": ":", "color": "0.4"},
}


def draw(grown: dict[str, Any], path: Path) -> None:
    """Write a PNG: seconds above, peak memory below, a column for each factor, log scales.

    Args:
        grown: What `elcrec.bench.scale.grow` returned.
        path: Where to write.
    """
    factors = {name: f for name, f in grown["factors"].items() if _done(f)}
    columns = max(1, len(factors))
    figure = Figure(figsize=(3.2 * columns + 0.8, 5.6), layout="constrained")
    axes = figure.subplots(2, columns, squeeze=False, sharex="col", sharey="row")
    for column, (name, factor) in enumerate(factors.items()):
        _draw_factor(axes[0][column], axes[1][column], factor)
        axes[1][column].set_xlabel(LABELS[name])
    axes[0][0].set_ylabel("time (s)")
    axes[1][0].set_ylabel("peak memory (MB)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(LINES), frameon=False)
    axes[1][0].legend(frameon=False, fontsize="small")
    about = grown["about"]
    title = f"{about['name']}, {about['environment']['device']}; exponents of the largest points"
    figure.suptitle(title, fontsize="medium")
    with replaced(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


def _draw_factor(time: Axes, memory: Axes, factor: dict[str, Any]) -> None:
    points = _done(factor)
    sizes = [p["size"] for p in points]
    for measure, style in LINES.items():
        time.plot(sizes, [p[measure] for p in points], markersize=4, **style)
    for measure, style in MEMORY.items():
        memory.plot(sizes, [p[measure] / 1e6 for p in points], markersize=4, **style)
    for axis in (time, memory):
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.xaxis.set_major_locator(FixedLocator(sizes))
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        for line in (axis.xaxis, axis.yaxis):
            _plain_numbers(line)
        axis.grid(color="0.9")
    time.set_title(_laws(factor, {"epoch": "epoch", "evaluation": "evaluation"}), fontsize="small")
    memory.set_title(_laws(factor, {"memory_bytes": "memory"}), fontsize="small")


def _laws(factor: dict[str, Any], names: dict[str, str]) -> str:
    """Exponents of the largest points, e.g. `epoch ~ size^0.98`; empty where there are none."""
    fits = {name: factor["fits_largest"][measure] for measure, name in names.items()}
    known = {name: number(fit["exponent"], 2) for name, fit in fits.items() if fit}
    return "\n".join(f"{name} ~ size^{exponent}" for name, exponent in known.items())


def _plain_numbers(axis: Axis) -> None:
    """Label only major ticks, as 30k rather than 3 x 10^4."""
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def short(value: float) -> str:
    """A number for an axis, e.g. 0.05, 2048, 30k, 10M."""
    for unit, sign in ((1e6, "M"), (1e3, "k")):
        if value >= 10_000 and value >= unit:
            return f"{value / unit:g}{sign}"
    return f"{value:g}"


def _done(factor: dict[str, Any]) -> list[dict[str, Any]]:
    return [p for p in factor["points"] if "not_run" not in p]
