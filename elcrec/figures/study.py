"""Effects of changes to the clustering on accuracy and clusters, side by side."""

from math import inf

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter

from elcrec.config.names import REFERENCE
from elcrec.errors import InputError
from elcrec.figures import style
from elcrec.figures.drawn import Drawn, drawn, which_runs
from elcrec.files.rows import frame_of, read_rows
from elcrec.runs.plan import shown
from elcrec.runs.reading import Runs

CHANGE, ENDS = "change_percent", ("low95_percent", "high95_percent")
QUANTITIES = {
    CHANGE: "NDCG@20\n(%)",
    "in_use": "centers\nin use",
    "user_cosine": "cosine\nof users",
    "activity_bits": "activity\n(bits)",
    "stability": "stability\n(adj. Rand)",
}
READ = ["mean_b", "relative_difference_percent", "difference_low95", "difference_high95"]
"""Columns of study.csv that are read, besides the quantities."""


def draw(runs: Runs, dataset: str) -> Drawn:
    """A panel for each quantity, a row for each model that has runs."""
    config = runs.config
    path = config.output / "tables" / "study.csv"
    if not path.exists():
        raise InputError(f"{path}: is missing; make it with: {config.elcrec('table', 'study')}")
    models = shown(config, config.figures.models_of("study"))
    table = frame_of(read_rows(path), ["dataset", "model"], [*READ, *list(QUANTITIES)[1:]])
    table = table[(table["dataset"] == dataset) & table["model"].isin(models)]
    table = table.rename(columns={"relative_difference_percent": CHANGE})
    for end in ENDS:
        table[end] = 100 * table[f"difference_{end.removesuffix('_percent')}"] / table["mean_b"]
    names = [config.model_name(model) for model in table["model"]]
    rows = zip(names, table[CHANGE].fillna(0), table["in_use"], strict=True)
    return drawn(
        "study",
        _draw(table, names) if len(table) else style.empty("not run"),
        table,
        dataset=config.dataset_name(dataset),
        reference=config.model_name(REFERENCE),
        found=[f"{n} {c:+.1f} %" + (f", {used:.0f}" if used >= 0 else "") for n, c, used in rows],
        runs=which_runs(config, runs.find([dataset], models)),
    )


def _draw(table: pd.DataFrame, names: list[str]) -> Figure:
    figure = Figure(figsize=(style.WIDTH, 0.22 * len(names) + 0.7), layout="constrained")
    axes = figure.subplots(1, len(QUANTITIES))
    look = {"color": style.SERIES[0].color, "marker": style.SERIES[0].marker}
    for axis, (quantity, label) in zip(axes, QUANTITIES.items(), strict=True):
        style.rows_from_the_top(axis, names if axis is axes[0] else [""] * len(names))
        axis.set_title(label)
        if quantity != CHANGE:
            axis.plot(table[quantity], range(len(table)), linestyle="", **look)
    for y, row in enumerate(table.to_dict("records")):
        style.estimate(axes[0], y, row[CHANGE], [row[end] for end in ENDS], inf, **look)
    counts = axes[list(QUANTITIES).index("in_use")]
    counts.set_xscale("symlog", linthresh=1, subs=[2, 5])
    counts.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    return figure
