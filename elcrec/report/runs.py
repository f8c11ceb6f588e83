"""The runs that the page shows: those of the configuration that the present code made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from elcrec.asked import AskedRun, runs_of, runs_of_models, runs_of_sensitivity
from elcrec.config import Config
from elcrec.figures.plan import variant_text
from elcrec.tables import optional
from elcrec.tables.history import read_history
from elcrec.tables.jsonfile import JsonObject
from elcrec.tables.present import other_than, present_hashes
from elcrec.tables.runs import check_best_epoch

OTHER_CODE = "made by other code, left out"
OTHER_SETTINGS = "made with other settings, left out"


@dataclass(frozen=True)
class LeftOut:
    """A finished run that the present code or settings did not make."""

    dataset: str
    model: str
    seed: int
    reason: str


@dataclass(frozen=True)
class Collected:
    """Finished runs of a configuration."""

    kept: Sequence[JsonObject]
    """Their `metrics.json`."""
    left_out: Sequence[LeftOut]


def collect_runs(config: Config, any_code: bool = False) -> Collected:
    """Read the runs of all models of tables and figures; `any_code` keeps those of other code.

    Raises:
        InputError: A record that is not whole, or a model whose settings are not right.
    """
    further = runs_of(config, optional.TABLES, config.optional.models)
    asked = {run.folder: run for run in (*runs_of_models(config), *further)}
    return _collect(config, asked.values(), any_code)


def collect_sensitivity(config: Config, any_code: bool = False) -> Collected:
    """Read the runs with another value of one hyper-parameter; as `collect_runs`."""
    return _collect(config, runs_of_sensitivity(config), any_code)


def _collect(config: Config, asked: Iterable[AskedRun], any_code: bool) -> Collected:
    kept, left_out = [], []
    for run in asked:
        path = run.folder / "metrics.json"
        if not path.exists():
            continue
        values = JsonObject.read(path)
        check_best_epoch(values)
        history = run.folder / "history.csv"
        if history.is_file():
            read_history(history, values.integer("epochs"))
        reason = None if any_code else _judge(config, run, values)
        if reason is None:
            kept.append(values)
        else:
            what = f"{variant_text(run.variant)}: " if run.variant else ""
            left_out.append(LeftOut(run.dataset, run.model, run.seed, what + reason))
    return Collected(kept, left_out)


def _judge(config: Config, run: AskedRun, values: JsonObject) -> str | None:
    """Why the run is left out; None for one that is kept."""
    made = (str(values.values.get("fingerprint")), str(values.values.get("settings")))
    other = other_than(made, present_hashes(config, run.model, run.dataset, run.changes))
    return {"code": OTHER_CODE, "settings": OTHER_SETTINGS, None: None}[other]
