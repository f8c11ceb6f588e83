"""Ablation: the sum of four metrics with parts of ELCRec added one after the other."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.figures import drawn, style
from elcrec.figures.drawn import Drawn
from elcrec.paper import FOLDER, load_accuracy
from elcrec.runs.plan import ablation_arms
from elcrec.runs.reading import Runs
from elcrec.runs.record import RunRecord
from elcrec.runs.settings import resolve
from elcrec.statistics.tests import mean_std

PRINTED = {"iclrec": "B", "iclrec_icl": "B+ICL", "elcrec_elcm": "B+ELCM", "elcrec": "ELCRec"}
"""Names of the arms in the paper's Table 10."""
BAR = 0.4  # width; two of them and a gap make 1


def draw(runs: Runs) -> Drawn:
    """Bars of every arm, the paper's beside ours, a panel for each data set."""
    config = runs.config
    datasets, models = ablation_arms(config)
    found = runs.find(datasets, models)
    numbers = pd.DataFrame([_row(runs, *key, records) for key, records in found.items()])
    figure, axes = style.panels(1, len(datasets), 2.5)
    style.title_columns(axes, [config.dataset_name(d) for d in datasets])
    for axis, dataset in zip(axes[0], datasets, strict=True):
        _draw_panel(axis, numbers[numbers["dataset"] == dataset])
    axes[0][0].set_ylabel("sum of four test metrics (no unit)")
    style.legend_below(figure, list(axes[0]))
    caption = (
        f"{' + '.join(TABLE_METRICS)} on the test split. B is ICLRec; B+ICL fuses its k-means "
        "centers into the instance loss; B+ELCM has learnable centers and the cluster loss, but "
        "nothing fused; ELCRec has both. Ours: mean over seeds, error bars of one standard "
        f"deviation.{_printed(numbers)} {drawn.which_runs(config, found)}"
        + _without_instance_loss(runs, datasets)
    )
    return Drawn(figure, numbers, "Ablation", caption, _alt(runs, numbers))


def _row(runs: Runs, dataset: str, model: str, records: list[RunRecord]) -> dict[str, Any]:
    sums = [sum(record.metrics["test"][m] for m in TABLE_METRICS) for record in records]
    mean, std = mean_std(sums)
    printed = load_accuracy(FOLDER / "ablation.csv")
    key = (runs.config.dataset_name(dataset), "sum4", PRINTED.get(model, ""))
    return {
        "dataset": dataset,
        "model": model,
        "arm": _name(runs, model),
        "seeds": len(records),
        "mean": mean,
        "std": std,
        "paper": printed.get(key, nan),
    }


def _printed(numbers: pd.DataFrame) -> str:
    return " Paper: Table 10, as printed." if numbers["paper"].notna().any() else ""


def _name(runs: Runs, model: str) -> str:
    return PRINTED.get(model) or runs.config.model_name(model)


def _draw_panel(axis: Axes, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))
    ours, paper = style.SERIES[0], style.SERIES[1]
    beside = rows["paper"].notna().any()
    shift = BAR / 2 if beside else 0.0
    if beside:
        axis.bar(
            places - shift,
            rows["paper"],
            BAR,
            color="white",
            edgecolor="0.3",
            hatch=paper.hatch,
            label="paper",
        )
    axis.bar(places + shift, rows["mean"], BAR, color=ours.color, label="ours")
    axis.errorbar(
        places + shift, rows["mean"], rows["std"].fillna(0), fmt="none", ecolor="0.5", capsize=2
    )
    top = np.nanmax([0.01, *rows["mean"] + rows["std"].fillna(0), *rows["paper"]])
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        _write_value(axis, place - shift, row["paper"], 0.0, top)
        _write_value(axis, place + shift, row["mean"], row["std"], top)
        if not row["seeds"]:
            style.mark_missing(axis, place + shift)
    axis.set_ylim(0, 1.3 * top)
    axis.set_xlim(-0.6, len(rows) - 0.4)
    axis.set_xticks(places, list(rows["arm"]), rotation=30, ha="right", rotation_mode="anchor")


def _write_value(axis: Axes, place: float, value: float, std: float, top: float) -> None:
    if np.isfinite(value):
        height = value + (std if np.isfinite(std) else 0.0) + 0.02 * top
        text = style.decimals(value)
        axis.text(place, height, text, ha="center", va="bottom", rotation=90, fontsize=6.5)


def _without_instance_loss(runs: Runs, datasets: list[str]) -> str:
    """A sentence on data sets where fusing centers cannot matter."""
    whole = runs.config.figures.ablation.models[-1]
    parameters = {d: resolve(runs.config, whole, d).parameters for d in datasets}
    off = [d for d, p in parameters.items() if getattr(p, "instance_weight", None) == 0]
    if not off:
        return ""
    names = drawn.listed([runs.config.dataset_name(d) for d in off])
    return (
        f" On {names} the instance loss is off (weight 0), so that fusing centers into it changes "
        "nothing: B+ICL repeats B, and ELCRec repeats B+ELCM."
    )


def _alt(runs: Runs, numbers: pd.DataFrame) -> str:
    parts = []
    for dataset, rows in numbers.groupby("dataset", sort=False):
        bars = [f"{r['arm']} {_or_gap(r['mean'])}" for r in rows.to_dict("records")]
        parts.append(f"{runs.config.dataset_name(str(dataset))}: {', '.join(bars)}")
    return (
        f"Bar chart of four arms per data set, ours beside the paper's. Ours: {'; '.join(parts)}."
    )


def _or_gap(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else "not run"
