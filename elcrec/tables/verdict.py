"""Each printed accuracy of the paper against our runs: compatible, or not, or undecided."""

from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pandas as pd

from elcrec import paper
from elcrec.config.config import Config
from elcrec.paper import IMPROVEMENT, P_VALUE
from elcrec.statistics.power import prediction_interval
from elcrec.tables import detectable, impossible, nearest, table1
from elcrec.tables.document import note, write_csv
from elcrec.tables.table1 import AccuracyTable, Cell

COMPATIBLE, DIFFERS, CANNOT_TELL, NOT_RUN = "compatible", "differs", "cannot tell", "not run"
VERDICTS = (COMPATIBLE, DIFFERS, CANNOT_TELL, NOT_RUN)
FINAL, PROVISIONAL = "final", "provisional"
COLUMNS = (
    *("dataset", "metric", "model", "paper", "mean", "std", "low95", "high95"),
    *("half_width_percent", "lead_percent", "seeds", "seeds_asked"),
    *("relative_deviation_percent", "verdict", "status", "note"),
)
"""Of `verdict.csv`."""
_NO_RUN = Cell("", "", "", nan, nan, nan, nan, 0, nan)


def judge(table: AccuracyTable, seeds_asked: int) -> pd.DataFrame:
    """Judge every accuracy that the paper prints, in the order of the print.

    Args:
        table: Our Table 1; data sets and models with the paper's names are compared with it.
        seeds_asked: Number of seeds in the configuration.

    Returns:
        `verdict.csv`: data set and model by their printed names, the value of the paper, and mean
        and deviation over our seeds; nan and 0 where there is no run. `low95` and `high95` are the
        95 % prediction interval of one more run on the same users (nan: noise unknown), and
        `half_width_percent` half of it in percent of our mean. `lead_percent` is the lead of ELCRec
        over the best other method in this row of the paper, in percent of that one;
        `relative_deviation_percent` our mean against the paper's value, in percent of the latter.
        `verdict` is one of `VERDICTS`, `status` final or provisional, `note` why there is no run,
        or that the printed column cannot be right.
    """
    datasets = {name: dataset for dataset, name in table.names.datasets.items()}
    models = {name: model for model, name in table.names.models.items()}
    failures = {(gap.dataset, gap.model): gap.reason for gap in table.gaps if gap.failed}
    columns = impossible.printed_columns(table.paper)
    broken = {(c.dataset, c.model) for c in columns if c.impossible}
    rows = []
    for (dataset, metric, model), value in table.paper.items():
        if model in (IMPROVEMENT, P_VALUE):
            continue
        own = datasets.get(dataset, ""), models.get(model, "")
        asked = (own[0], metric, own[1]) in table.cells
        run = table.cells.get((own[0], metric, own[1]), _NO_RUN)
        low, high = _interval(table, run)
        lead, runner_up = paper.lead(table.paper, dataset, metric)
        notes = [failures.get(own) or _absence(dataset in datasets, model in models, run)]
        notes += ["the printed column is impossible"] * ((dataset, model) in broken)
        rows.append(
            [
                *(dataset, metric, model, value, run.mean, run.std, low, high),
                50 * (high - low) / run.mean if run.mean else nan,
                100 * lead / runner_up if runner_up else nan,
                *(run.seeds, seeds_asked if asked else 0),
                100 * (run.mean - value) / value,
                _verdict(run, value, (low, high), lead),
                (FINAL if run.seeds >= seeds_asked else PROVISIONAL) if run.seeds else "",
                "; ".join(filter(None, notes)),
            ]
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def count(verdicts: pd.DataFrame) -> dict[str, int]:
    """How many cells have each of `VERDICTS`, all of them always present."""
    return {verdict: int((verdicts["verdict"] == verdict).sum()) for verdict in VERDICTS}


def summary(verdicts: pd.DataFrame) -> str:
    """One sentence, e.g. for a terminal."""
    parts = ", ".join(f"{number} {verdict}" for verdict, number in count(verdicts).items())
    open_ones = (verdicts["status"] == PROVISIONAL).sum()
    text = f"Of the {len(verdicts)} values in the paper's {paper.printed_in(verdicts['dataset'])}"
    return f"{text}: {parts}; {open_ones} of these verdicts are provisional."


def rule() -> str:
    """How it is judged; to stand wherever verdicts are shown."""
    return note("verdict")


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write the verdict on each printed value and what the design can tell; print the counts.

    Files: verdict.csv, nearest.csv, detectable.csv and impossible.csv.

    Args:
        config: Which runs Table 1 has.
        folder: Where the files go.
        any_code: Take runs that other code made, too.
    """
    table, seeds = table1.read(config, any_code), len(config.seeds)
    found = judge(table, seeds)
    columns = [*impossible.printed_columns(table.paper), *impossible.own_columns(table)]
    frames = {
        "verdict": found,
        "nearest": nearest.frame(table),
        "detectable": detectable.frame(table, seeds),
        "impossible": impossible.frame(columns),
    }
    for name, frame in frames.items():
        write_csv(folder / f"{name}.csv", frame)
    print(summary(found))
    print(rule())


def _interval(table: AccuracyTable, run: Cell) -> tuple[float, float]:
    if not run.seeds:
        return nan, nan
    noise = table.pools[run.metric].noise((run.dataset, run.model))
    return prediction_interval(run.mean, run.seeds, noise)


def _verdict(run: Cell, paper: float, interval: tuple[float, float], lead: float) -> str:
    low, high = interval
    if not run.seeds:
        return NOT_RUN
    if isnan(low):
        return CANNOT_TELL
    if not low <= paper <= high:
        return DIFFERS
    return COMPATIBLE if high - low <= abs(lead) else CANNOT_TELL  # nan: cannot tell


def _absence(dataset_in_use: bool, model_in_use: bool, run: Cell) -> str:
    if not model_in_use:
        return "the configuration does not have this model"
    if not dataset_in_use:
        return "the configuration does not use this data set"
    return "" if run.seeds else "no run yet"
