"""The runs that the page shows: those of the configuration that the present code made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from elcrec.config import Config
from elcrec.figures.plan import overrides, sensitivity_points
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


@dataclass(frozen=True)
class _Asked:
    folder: Path
    dataset: str
    model: str
    seed: int
    changes: Mapping[str, Any]
    """What differs from the model's own settings."""
    what: str = ""
    """The same in words."""


def collect_runs(config: Config, any_code: bool = False) -> Collected:
    """Read the runs of all models of tables and figures; `any_code` keeps those of other code.

    Raises:
        InputError: A record that is not whole, or a model whose settings are not right.
    """
    models = list(dict.fromkeys([*config.models, *config.figures.models()]))
    asked = list(product(config.use, models, config.seeds))
    further = product(optional.TABLES, config.optional.models, config.seeds)
    asked += [entry for entry in further if entry not in asked]
    return _collect(config, (_Asked(config.run_folder(*a), *a, {}) for a in asked), any_code)


def collect_sensitivity(config: Config, any_code: bool = False) -> Collected:
    """Read the runs with another value of one hyper-parameter; as `collect_runs`."""
    model = config.figures.sensitivity.model
    points = {p.folder: p for p in sensitivity_points(config) if p.extra}
    asked = (
        _Asked(
            folder,
            point.dataset,
            model,
            point.seed,
            overrides(config, point.parameter, point.value),
            f"{point.parameter} = {point.value:g}: ",
        )
        for folder, point in points.items()
    )
    return _collect(config, asked, any_code)


def _collect(config: Config, asked: Iterator[_Asked], any_code: bool) -> Collected:
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
            left_out.append(LeftOut(run.dataset, run.model, run.seed, run.what + reason))
    return Collected(kept, left_out)


def _judge(config: Config, run: _Asked, values: JsonObject) -> str | None:
    """Why the run is left out; None for one that is kept."""
    made = (str(values.values.get("fingerprint")), str(values.values.get("settings")))
    other = other_than(made, present_hashes(config, run.model, run.dataset, run.changes))
    return {"code": OTHER_CODE, "settings": OTHER_SETTINGS, None: None}[other]
