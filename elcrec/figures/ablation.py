"""Ablation: what parts of ELCRec add to the model without them."""

from collections.abc import Sequence
from math import inf, nan

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from elcrec.config.config import Config
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.figures import style
from elcrec.figures.drawn import Drawn, drawn, of_each_run, which_runs
from elcrec.figures.grid import layout, with_runs
from elcrec.paper import ARMS, FOLDER, load_accuracy
from elcrec.runs.comparison import check_users, user_values
from elcrec.runs.plan import ablation_arms
from elcrec.runs.reading import Found, Runs
from elcrec.runs.record import RunRecord
from elcrec.runs.settings import resolve
from elcrec.statistics.crossed import crossed
from elcrec.statistics.noise import Pool
from elcrec.statistics.tests import mean_std

PRINTED = {model: arm for arm, model in ARMS.items()}
COLUMNS = ["dataset", "model", "arm", "seeds", "mean", "std", "paper"]
COLUMNS += ["change_percent", "low95_percent", "high95_percent", "paper_change_percent"]
APART = 0.2  # ours above the middle of the row, the paper's below


def draw(runs: Runs) -> Drawn:
    """A row for each arm but the first, the base of the others; a panel for each data set."""
    config = runs.config
    datasets, models = ablation_arms(config)
    groups = runs.find(datasets, models)
    numbers = of_arms(config, groups, models[0])
    base = numbers["arm"].iloc[0]
    height = 0.4 * (len(models) - 1) + 0.4
    figure, columns = layout(config, with_runs(groups), [""], height, f"change against {base} (%)")
    for dataset, column in columns.items():
        _draw_panel(column[0], numbers[numbers["dataset"] == dataset])
    style.legend_below(figure, figure.axes)
    changed = numbers.dropna(subset="change_percent")
    return drawn(
        "ablation",
        figure,
        numbers,
        metrics=config.metrics or TABLE_METRICS,
        base=base,
        printed=numbers["paper"].notna().any(),
        off=_without_instance_loss(config, datasets),
        changes=of_each_run(config, changed, lambda r: f"{r['change_percent'].iloc[0]:+.1f} %"),
        runs=which_runs(config, groups),
    )


def of_arms(config: Config, groups: Found, base: str) -> pd.DataFrame:
    """A row for each data set and arm; `base` is the model that they are compared with."""
    metrics = config.metrics or TABLE_METRICS
    # The paper prints the sum of its own four metrics.
    printed_sums = set(metrics) == set(TABLE_METRICS)
    paper = load_accuracy(FOLDER / "ablation.csv") if printed_sums else {}
    sums = {key: [sum(map(run.score, metrics)) for run in groups[key]] for key in groups}
    pool = Pool.of(sums)
    rows = []
    for (dataset, model), records in groups.items():
        name = config.dataset_name(dataset)
        printed = [paper.get((name, "sum4", PRINTED.get(m, "")), nan) for m in (model, base)]
        rows.append(
            (
                *(dataset, model, PRINTED.get(model) or config.model_name(model), len(records)),
                *(*mean_std(sums[dataset, model]), printed[0]),
                *(
                    _change(records, groups[dataset, base], pool, metrics)
                    if model != base
                    else [nan] * 3
                ),
                100 * (printed[0] / printed[1] - 1),
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _change(
    arm: Sequence[RunRecord], base: Sequence[RunRecord], pool: Pool, metrics: Sequence[str]
) -> list[float]:
    """An arm against the base by the primary test, in percent of the base, and its interval."""
    if not arm or not base:
        return [nan] * 3
    check_users([*arm, *base])
    users = [np.sum([user_values(m, r) for m in metrics], axis=0) for r in (arm, base)]
    noises = [pool.noise((runs[0].dataset, runs[0].model)) for runs in (arm, base)]
    test = crossed(users[0], users[1], *noises)
    base_mean = float(users[1].mean()) or nan
    return [100 * value / base_mean for value in (test.difference, test.low, test.high)]


def _draw_panel(axis: Axes, rows: pd.DataFrame) -> None:
    base, arms = rows.iloc[0], rows.iloc[1:]
    style.rows_from_the_top(axis, list(arms["arm"]))
    ours, paper = ({"color": s.color, "marker": s.marker} for s in style.SERIES[:2])
    for y, row in enumerate(arms.to_dict("records")):
        change, printed = row["change_percent"], row["paper_change_percent"]
        ends = (row["low95_percent"], row["high95_percent"])
        style.estimate(axis, y - APART, change, ends, inf, label="ours", **ours)
        if np.isnan(change):
            reason = f"{base['arm']} not run" if row["seeds"] else "not run"
            axis.text(0, y - APART, f" {reason}", va="center", **style.MISSING)
        if np.isfinite(printed):
            look = paper | {"markerfacecolor": "white", "label": "paper"}
            style.estimate(axis, y + APART, printed, (), inf, **look)
    axis.margins(x=0.2)


def _without_instance_loss(config: Config, datasets: list[str]) -> list[str]:
    """Names of the data sets where fusing centers cannot matter."""
    full_model = config.figures.ablation.models[-1]
    settings = {d: resolve(config, full_model, d).parameters for d in datasets}
    off = [d for d, p in settings.items() if getattr(p, "instance_weight", None) == 0]
    return list(map(config.dataset_name, off))
