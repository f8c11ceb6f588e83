"""The figure of `elcrec bench --scale`; readable without colours."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FixedLocator, LogLocator

from elcrec.figures.style import SERIES, legend_below, look
from elcrec.files.atomic import replaced
from elcrec.tables.layout import number

SECONDS = {"step": "training step", "epoch": "epoch (computed)", "evaluation": "evaluation"}


def draw(record: dict[str, Any], path: Path) -> None:
    """Write a PNG: seconds above, peak memory below, a column for each factor, log scales.

    Args:
        record: What `elcrec.bench.growth.grow` returned.
        path: Where to write.
    """
    exponents, about = record["exponents"], record["about"]
    with look(), replaced(path) as temporary:
        figure = Figure(figsize=(3.2 * len(exponents), 5.6), layout="constrained")
        axes = figure.subplots(2, len(exponents), squeeze=False, sharex="col", sharey="row")
        for (time, memory), (factor, fitted) in zip(axes.T, exponents.items(), strict=True):
            measured = (p for p in record["points"] if "not_run" not in p)
            points = [p for p in measured if p["factor"] == factor]
            sizes = [p["size"] for p in points]
            for (key, label), series in zip(SECONDS.items(), SERIES, strict=False):
                time.plot(sizes, [p[key] for p in points], label=label, **series.line)
            memory.plot(sizes, [p["memory_bytes"] for p in points], "ko-")
            for axis, unit in ((time, "s"), (memory, "B")):
                axis.set(xscale="log", yscale="log")
                axis.minorticks_off()
                axis.xaxis.set_major_locator(FixedLocator(sizes))
                axis.xaxis.set_major_formatter(EngFormatter(sep=""))  # 30k
                axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
                axis.yaxis.set_major_formatter(EngFormatter(unit))  # 50 ms
            exponent = fitted["epoch"]
            time.set_title("" if exponent is None else f"epoch ~ size^{number(exponent, 2)}")
            memory.set_xlabel(factor)
        axes[0][0].set_ylabel("time")
        axes[1][0].set_ylabel("peak memory")
        legend_below(figure, axes[0])
        title = f"{about['name']}, {about['environment']['device']}; exponents of the largest sizes"
        figure.suptitle(title)
        figure.savefig(temporary, dpi=150, format="png")
