"""Each printed accuracy of the paper against our runs: compatible, or not, or undecided."""

from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd

from elcrec import paper
from elcrec.config.config import Config
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.statistics.power import prediction_interval
from elcrec.tables import detectable, impossible, nearest, table1
from elcrec.tables.document import write_csv
from elcrec.tables.layout import words
from elcrec.tables.table1 import AccuracyTable

COMPATIBLE, DIFFERS, CANNOT_TELL, NOT_RUN = "compatible", "differs", "cannot tell", "not run"
VERDICTS = (COMPATIBLE, DIFFERS, CANNOT_TELL, NOT_RUN)
FINAL, PROVISIONAL = "final", "provisional"
CELL = ["dataset", "metric", "model"]
"""The key of a value of Table 1."""


def judge(table: AccuracyTable, seeds_asked: int) -> pd.DataFrame:
    """Judge every accuracy that the paper prints, in the paper's order.

    Args:
        table: Our Table 1; data sets and models with the paper's names are compared with it.
        seeds_asked: Number of seeds in the configuration.

    Returns:
        `verdict.csv`: data set and model by their printed names, the value of the paper, and mean
        and deviation over our seeds; nan and 0 where there is no run. `low95` and `high95` are the
        95 % prediction interval of one more run on the same users (nan: noise unknown), and
        `half_width_percent` half of it in percent of our mean. `lead_percent` is the lead of ELCRec
        over the best other method in this row of the paper, in percent of the latter;
        `relative_deviation_percent` our mean against the paper's value, in percent of the latter.
        `verdict` is one of `VERDICTS`, `status` final or provisional, `note` why there is no run,
        or that the printed column cannot be right.
    """
    printed = paper.of_methods(table.paper)
    values = pd.DataFrame([(*cell, value) for cell, value in printed.items()])
    cells = values.set_axis([*CELL, "paper"], axis=1).merge(_ours(table), "left", CELL)
    configured, seeds = cells["seeds"].notna(), cells.pop("seeds").fillna(0).astype(int)
    failure = cells.pop("failure").fillna("")
    rows = zip(cells["dataset"], cells["metric"], strict=True)
    lead, runner_up = np.array([paper.lead(printed, *row) for row in rows]).T
    # nan, where the noise is unknown, is neither inside nor narrow.
    width = cells["high95"] - cells["low95"]
    outside = ~cells["paper"].between(cells["low95"], cells["high95"])
    return cells.assign(
        half_width_percent=50 * width / cells["mean"],
        lead_percent=100 * lead / runner_up,
        seeds=seeds,
        seeds_asked=np.where(configured, seeds_asked, 0),
        relative_deviation_percent=100 * (cells["mean"] - cells["paper"]) / cells["paper"],
        verdict=np.select(
            [seeds == 0, width.isna(), outside, width <= abs(lead)],
            [NOT_RUN, CANNOT_TELL, DIFFERS, COMPATIBLE],
            CANNOT_TELL,  # inside an interval wider than the lead, or no lead is printed
        ),
        status=np.select([seeds == 0, seeds >= seeds_asked], ["", FINAL], PROVISIONAL),
        note=_notes(table, cells, failure),
    )


def _notes(table: AccuracyTable, cells: pd.DataFrame, failure: pd.Series) -> list[str]:
    """Why there is no run, and which printed columns cannot be right."""
    columns = impossible.impossible(impossible.printed_columns(table.paper), impossible.PAPER)
    broken = set(zip(columns["dataset"], columns["model"], strict=True))
    notes = []
    for row, failed in zip(cells.to_dict("records"), failure, strict=True):
        if row["model"] not in table.names.models.values():
            absence = "the configuration does not have this model"
        elif row["dataset"] not in table.names.datasets.values():
            absence = "the configuration does not use this data set"
        else:
            absence = "no run yet" if isnan(row["mean"]) else ""
        is_broken = (row["dataset"], row["model"]) in broken
        parts = [failed or absence, "the printed column is impossible" if is_broken else ""]
        notes.append("; ".join(filter(None, parts)))
    return notes


def _ours(table: AccuracyTable) -> pd.DataFrame:
    """Our cells by printed names: the prediction interval of one more run, and what failed."""
    failed = {(gap.dataset, gap.model): gap.reason for gap in table.gaps if gap.failed}
    rows = []
    for names, cell in table.by_name.items():
        noise = table.pools[cell.metric].noise((cell.dataset, cell.model))
        ends = prediction_interval(cell.mean, cell.seeds, noise)
        reason = failed.get((cell.dataset, cell.model), "")
        rows.append((*names, cell.mean, cell.std, *ends, cell.seeds, reason))
    return pd.DataFrame(rows, columns=[*CELL, "mean", "std", "low95", "high95", "seeds", "failure"])


def summary(verdicts: pd.DataFrame) -> str:
    """One sentence, e.g. for a terminal."""
    counts = verdicts["verdict"].value_counts().reindex(list(VERDICTS), fill_value=0)
    parts = ", ".join(f"{cells} {verdict}" for verdict, cells in counts.items())
    provisional = (verdicts["status"] == PROVISIONAL).sum()
    text = f"Of the {len(verdicts)} values in the paper's {paper.printed_in(verdicts['dataset'])}"
    return f"{text}: {parts}; {provisional} of these verdicts are provisional."


def rule() -> str:
    """The rule of the verdict, to be shown wherever verdicts are."""
    return words("verdict", "note")


def write(config: Config, folder: Path, any_code: bool = False) -> None:
    """Write the verdict on each printed value and what the design can tell; print the counts.

    Files: verdict.csv, nearest.csv, detectable.csv and impossible.csv.

    Args:
        config: Names the runs of Table 1.
        folder: Where the files go.
        any_code: Accept runs made by other code, too.
    """
    table, seeds = table1.read(config, any_code, TABLE_METRICS), len(config.seeds)
    verdicts = judge(table, seeds)
    columns = {
        impossible.PAPER: impossible.printed_columns(table.paper),
        impossible.OURS: impossible.own_columns(table),
    }
    frames = {
        "verdict": verdicts,
        "nearest": nearest.frame(table),
        "detectable": detectable.frame(table, seeds),
        "impossible": pd.concat(impossible.impossible(c, source) for source, c in columns.items()),
    }
    for name, frame in frames.items():
        write_csv(folder / f"{name}.csv", frame)
    print(summary(verdicts))
    print(rule())
