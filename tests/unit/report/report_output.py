"""Writes output folders of known content for the tests of the report, unit and browser."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from elcrec.config.config import load_config
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.report.evidence import Evidence
from elcrec.runs.fingerprint import fingerprint
from elcrec.runs.settings import module_reference, resolve
from elcrec.statistics.comparison import TESTS
from elcrec.tables.verdict import NOT_RUN
from tests.unit.tables.conftest import Output

# One white pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg=="
)


class ReportOutput:
    """An output folder with its configuration."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        """Write the configuration: Beauty, three models, two seeds; `changes` replace its keys."""
        self.folder = folder / "results"
        self.config_file = folder / "config.yaml"
        values = {
            "output": str(self.folder),
            "data": str(folder / "data"),
            "use": ["beauty"],
            "models": ["sasrec", "iclrec", "elcrec"],
            "seeds": [1, 2],
            "efficiency": {"models": ["iclrec", "elcrec"], "seed": 1, "epochs": 2},
        }
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(yaml.safe_dump(values | changes))

    @property
    def evidence(self) -> Evidence:
        """What the report reads."""
        return Evidence(load_config([self.config_file]))

    def table(self, name: str, rows: Sequence[Mapping[str, object]], kind: str = "tables") -> None:
        """Write `tables/<name>.csv`, or another kind's."""
        path = self.folder / kind / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def record(self, place: str, values: Mapping[str, Any]) -> None:
        """Write a JSON record that is no run: `released/beauty/elcrec.json`, for example."""
        path = self.folder / place
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))

    def scores(self, means: Mapping[str, float], dataset: str = "beauty", seeds: int = 2) -> None:
        """Write `table1.csv` with the same mean on all metrics, by model."""
        cells = {(dataset, metric, m): v for metric in TABLE_METRICS for m, v in means.items()}
        self.cells(cells, seeds)

    def cells(self, means: Mapping[tuple[str, str, str], float], seeds: int = 2) -> None:
        """Write `table1.csv` and ELCRec against each model in `significance.csv`, with these means.

        Args:
            means: By data set, metric and model.
            seeds: Of every model.
        """
        rows = [
            {
                "dataset": dataset,
                "metric": metric,
                "model": model,
                "mean": mean,
                "std": 0.001,
                "low95": mean - 0.002,
                "high95": mean + 0.002,
                "seeds": seeds,
                "paper": 0.05,
                "relative_difference_percent": 100 * (mean - 0.05) / 0.05,
                "stopping": "",
            }
            for (dataset, metric, model), mean in means.items()
        ]
        self.table("table1", rows)
        compared = [
            self.comparison(model, mean, "")
            | {"dataset": dataset, "metric": metric, "mean_a": own, "difference": own - mean}
            | {"seeds": f"{seeds}+{seeds}"}
            for (dataset, metric, model), mean in means.items()
            if model != "elcrec" and (own := means.get((dataset, metric, "elcrec"))) is not None
        ]
        if compared:
            self.table("significance", compared)

    def verdicts(self, verdicts: Mapping[tuple[str, str, str], str]) -> None:
        """Write `verdict.csv` with these cells, named as printed."""
        rows = []
        for (dataset, metric, model), verdict in verdicts.items():
            run = verdict != NOT_RUN
            rows.append(
                {
                    "dataset": dataset,
                    "metric": metric,
                    "model": model,
                    "paper": 0.05,
                    "mean": 0.05 if run else "",
                    "low95": 0.04 if run else "",
                    "high95": 0.06 if run else "",
                    "half_width_percent": 20 if run else "",
                    "seeds": 2 if run else 0,
                    "seeds_asked": 2,
                    "verdict": verdict,
                    "status": "final" if run else "",
                    "note": "" if run else "no run yet",
                }
            )
        self.table("verdict", rows)

    def comparison(self, rival: str, mean: float, p: object) -> dict[str, Any]:
        """A line of `significance.csv`: ELCRec, whose mean is 0.05, against a rival."""
        tests = {t.p_column: 0.1 for t in TESTS.values()}
        corrected = {f"{t.p_column}_holm": 0.2 for t in TESTS.values()}
        return {
            **tests,
            **corrected,
            "family": "reference_against_each_model",
            "dataset": "beauty",
            "metric": "HR@5",
            "model_a": "elcrec",
            "model_b": rival,
            "mean_a": 0.05,
            "mean_b": mean,
            "difference": 0.05 - mean,
            "relative_difference_percent": 100 * (0.05 - mean) / mean,
            "difference_low95": 0.05 - mean - 0.01,
            "difference_high95": 0.05 - mean + 0.01,
            "p": p,
            "p_holm": p,
            "seeds": "2+2",
            "paired_t_p": 0.001,
            "paired_t_p_holm": 0.001,
        }

    def run(
        self,
        model: str,
        seed: int = 1,
        history: Sequence[Mapping[str, float]] = (),
        dataset: str = "beauty",
        best_epoch: int = 2,
    ) -> Path:
        """Write a run folder; by default loss falls and HR@5 rises up to the second of 3 epochs."""
        rows = history or [
            {"epoch": epoch, "loss_total": 4 - epoch, "HR@5": hits}
            for epoch, hits in ((1, 0.01), (2, 0.03), (3, 0.02))
        ]
        settings = resolve(load_config([self.config_file]), model, dataset)
        path = Output(self.folder).run(
            dataset,
            model,
            seed,
            test=np.zeros(22363),
            best_epoch=best_epoch,
            epochs=len(rows),
            fingerprint=fingerprint(module_reference(settings)),
            settings=settings.digest(),
        )
        self.table("history", rows, f"runs/{dataset}/{model}/{seed}")
        made = {"command": ["/a/b/__main__.py", "train", "--seed", str(seed)], "python": "3.11"}
        (path / "environment.json").write_text(json.dumps(made))
        written = "name: Mine\nmodule: mine.py\nparameters: {intents: 10}\ntraining: {}\n"
        (path / "config.yaml").write_text(written)
        return path

    def figure(self, name: str, **words: str) -> None:
        """Write a figure of one pixel with its words and numbers."""
        folder = self.folder / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(PNG)
        (folder / f"{name}.csv").write_text("epoch,value\n" + "1,2\n" * 300)
        told = {"title": f"Title of {name}", "caption": "What it shows.", "alt": "A chart."}
        (folder / f"{name}.json").write_text(json.dumps(told | words))


def filled(folder: Path) -> ReportOutput:
    """An output folder with some of everything, and gaps."""
    output = ReportOutput(folder)
    output.scores({"sasrec": 0.04, "elcrec": 0.051})
    output.table("significance", [output.comparison("sasrec", 0.04, 0.01)])
    cells = {("Beauty", m, "ELCRec"): "compatible" for m in TABLE_METRICS}
    cells |= {("Beauty", m, "SASRec"): "differs" for m in TABLE_METRICS}
    output.verdicts(cells | {("Toys", "HR@5", "ELCRec"): NOT_RUN})
    for model in ("sasrec", "elcrec"):
        output.run(model)
    (output.folder / "runs/beauty/iclrec/1").mkdir(parents=True)
    (output.folder / "runs/beauty/iclrec/1/failed.txt").write_text("out of memory at epoch 3\n")
    output.figure("convergence")
    point = {"dataset": "beauty", "model": "bprmf", "best": True, "in_use": False}
    point |= dict.fromkeys(("best_epoch", "epochs", "seconds"), 12)
    point |= {f"valid {metric}": 0.123456 for metric in TABLE_METRICS}
    output.table("grid", [point | {"point": f"l2={l2}"} for l2 in (0.1, 0.01)])
    return output
