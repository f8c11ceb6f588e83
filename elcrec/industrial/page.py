"""The page of the industrial part, `<output>/industrial/index.html`, and the files beside it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import elcrec
from elcrec.config.config import Config
from elcrec.config.industrial import MODELS
from elcrec.figures import drawn
from elcrec.files.atomic import write_text
from elcrec.files.jsonfile import read_object
from elcrec.files.rows import rows_of
from elcrec.industrial.features import GROUPS, SPLITS
from elcrec.industrial.figures import draw, in_use
from elcrec.industrial.runs import Evidence, Run, read_evidence, table_folder
from elcrec.industrial.tables import LOG_LOSS, build, shown
from elcrec.report.page import environment, images
from elcrec.runs.reading import Gap
from elcrec.tables.document import document, write_table
from elcrec.tables.layout import Names, Table, declared, figures, word
from elcrec.tables.wording import missing, origin

NAME = "industrial"
"""Base name of the tables' files and of the templates."""


def write(config: Config) -> Path:
    """Write tables, figures and the page from the runs that exist; returns its path.

    Raises:
        InputError: A data set is not prepared, or a run has other code, settings or data.
    """
    folder, network = config.output / "industrial", config.industrial.network
    evidence = read_evidence(config)
    frame = build(evidence)
    tables = shown(frame, {one.id: one.name for one in evidence})
    absent = _absent(config, evidence)
    write_table(folder / "tables", NAME, frame, tables, absent=absent)
    for name, drawing in draw(evidence, network.clusters):
        drawn.write(drawing, folder / "figures", name)
    words = document(f"{NAME}.md.j2", tables=tables, absent=[])
    values = {
        "version": elcrec.__version__,
        "config": config,
        "evidence": evidence,
        "finished": sum(len(runs) for one in evidence for runs in one.runs.values()),
        "absent": absent,
        "answer": answer(frame),
        "in_use": [f"{one.name}. {in_use(one)}" for one in evidence if one.has_users],
        "built": document(f"{NAME}.built.j2", network=network).split("\n\n"),
        "tables": tables,
        "notes": [line[2:] for line in words.splitlines() if line.startswith("- ")],
        "images": images(folder / "figures"),
        "data": [_data(config, one) for one in evidence],
        "runs": _runs(evidence),
    }
    path = folder / "index.html"
    write_text(path, environment().get_template(f"{NAME}.html.j2").render(values))
    return path


def answer(frame: pd.DataFrame) -> dict[str, float]:
    """Summary of the paper's comparison over all users: number of rows, and their outcomes."""
    chosen = frame[(frame["table"] == "tasks") & (frame["metric"] != LOG_LOSS)].dropna(subset="p")
    sure, gains = chosen["p_holm"] < 0.05, chosen["gain_percent"]
    found = {"compared": len(chosen), "least": gains.min(), "most": gains.max()}
    return found | {"better": (sure & (gains > 0)).sum(), "worse": (sure & (gains < 0)).sum()}


def _absent(config: Config, evidence: Sequence[Evidence]) -> list[str]:
    """One line for each model with missing seeds."""
    names = Names({one.id: one.name for one in evidence}, MODELS)
    gaps = [
        Gap(one.id, model, seed)
        for one, model, runs in _each(evidence)
        for seed in config.industrial.seeds
        if seed not in {run.record.seed for run in runs}
    ]
    return missing(gaps, names)


def _data(config: Config, one: Evidence) -> dict[str, Any]:
    """Interactions by split, shares of the test labels, users by group, origins of the files."""
    shares = 100 * one.table.labels[one.table.rows("test")].mean(0, dtype=float)
    users = np.bincount(one.table.group, minlength=len(GROUPS))
    files = read_object(table_folder(config, one.id) / "sources.json").values()
    return {
        "name": one.name,
        "rows": {split: len(one.table.rows(split)) for split in SPLITS},
        "labels": dict(zip(one.tasks, shares, strict=True)),
        "users": dict(zip(GROUPS, users, strict=True)) if one.has_users else {},
        "origins": [file["origin"] for file in files],
    }


def _runs(evidence: Sequence[Evidence]) -> Table:
    finished = [(one.name, MODELS[model], runs) for one, model, runs in _each(evidence) if runs]
    rows = [
        {
            **{"dataset": name, "model": model, "parameters": runs[0].record.parameters},
            **{
                key: ", ".join(str(getattr(run.record, key)) for run in runs)
                for key in ("seed", "best_epoch", "epochs")
            },
            "seconds": sum(run.record.seconds for run in runs),
        }
        for name, model, runs in finished
    ]
    columns = [
        word("Data set", "dataset"),
        word("Model", "model"),
        word("Seeds", "seed"),
        word("Tested epochs", "best_epoch"),
        word("Trained epochs", "epochs"),
        figures("Parameters", "parameters", 0),
        figures("Seconds", "seconds", 0),
    ]
    made = origin([run.record for *_, runs in finished for run in runs], "runs")
    return replace(declared("runs-table", columns, rows_of(pd.DataFrame(rows))), notes=made)


def _each(evidence: Sequence[Evidence]) -> list[tuple[Evidence, str, list[Run]]]:
    return [(one, model, runs) for one in evidence for model, runs in one.runs.items()]
