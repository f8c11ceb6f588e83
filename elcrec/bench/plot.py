"""The figure of `elcrec bench --scale`; readable without colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from elcrec.figures.style import SERIES, legend_below, look
from elcrec.files.atomic import replaced

SECONDS = {"step": "training step", "epoch": "epoch (computed)", "evaluation": "evaluation"}


def draw(grown: dict[str, Any], path: Path) -> None:
    """Write a PNG: seconds above, peak memory below, a column for each factor, log scales.

    Args:
        grown: What `elcrec.bench.growth.grow` returned.
        path: Where to write.
    """
    factors, about = grown["factors"], grown["about"]
    with look(), replaced(path) as temporary:
        figure = Figure(figsize=(3.2 * len(factors), 5.6), layout="constrained")
        axes = figure.subplots(2, len(factors), squeeze=False, sharex="col", sharey="row")
        for (time, memory), (name, factor) in zip(axes.T, factors.items(), strict=True):
            points = [p for p in factor["points"] if "not_run" not in p]
            sizes = [p["size"] for p in points]
            for (key, label), s in zip(SECONDS.items(), SERIES, strict=False):
                time.plot(sizes, [p[key] for p in points], label=label, **s.line)
            memory.plot(sizes, [p["memory_bytes"] / 1e6 for p in points], "ko-")
            for axis in (time, memory):
                _log_scales(axis, sizes)
            fit = factor["fits"]["epoch"]
            time.set_title(f"epoch ~ size^{fit['exponent']:.2f}" if fit else "")
            memory.set_xlabel(name)
        axes[0][0].set_ylabel("time (s)")
        axes[1][0].set_ylabel("peak memory (MB)")
        legend_below(figure, axes[0])
        title = f"{about['name']}, {about['environment']['device']}; exponents of the largest sizes"
        figure.suptitle(title)
        figure.savefig(temporary, dpi=150, format="png")


def _log_scales(axis: Any, sizes: list[int]) -> None:
    """Label the sizes and the tens, as 30k rather than 3 x 10^4."""
    axis.set(xscale="log", yscale="log")
    axis.xaxis.set_major_locator(FixedLocator(sizes))
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    for line in (axis.xaxis, axis.yaxis):
        line.set_minor_locator(NullLocator())
        line.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def short(value: float) -> str:
    """A number for an axis, e.g. 0.05, 2048, 30k, 10M."""
    for unit, sign in ((1e6, "M"), (1e3, "k")):
        if value >= max(unit, 10_000):
            return f"{value / unit:g}{sign}"
    return f"{value:g}"
