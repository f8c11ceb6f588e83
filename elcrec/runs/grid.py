"""What a paper leaves open is tuned on validation, over a small grid that a model's YAML declares.

`grid` in a model's file is a list of points, each a mapping of hyper-parameters or training
settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elcrec.config.config import Config
from elcrec.config.model_file import read_model_file
from elcrec.errors import InputError
from elcrec.runs.settings import RunSettings, resolve
from elcrec.training.settings import LAST

MOST_POINTS = 6
"""The same effort for every model: no grid may have more points."""

Point = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """The points of a model on a data set, and its settings without them."""

    points: list[Point]
    settings: RunSettings

    def in_use(self, point: Point) -> bool:
        """Whether the model's settings are those of the point."""
        values = self.settings.as_dict()
        settings = {**values["parameters"], **values["training"]}
        return all(key in settings and settings[key] == value for key, value in point.items())


def read_grid(config: Config, model: str, dataset: str) -> Grid:
    """Read the declared points: those of the data set's section, or else of the whole file.

    Raises:
        InputError: The grid is not a list of mappings, has more than `MOST_POINTS` points or a
            point twice, or a point has an unknown key or wrong value.
    """
    path = config.model_file(model)
    content = read_model_file(path)
    special = content.get("datasets", {}).get(dataset, {})
    points = special.get("grid", content.get("grid", []))
    _check(points, path)
    for point in points:
        resolve(config, model, dataset, point, lambda key, _: f"{path}: grid: {key}")
    settings = resolve(config, model, dataset)
    if points and settings.training.select_by == LAST:
        raise InputError(f"{path}: grid: needs a validation metric, but select_by is '{LAST}'")
    return Grid(points, settings)


def _check(points: Any, path: Path) -> None:
    if not isinstance(points, list) or not all(isinstance(p, Mapping) and p for p in points):
        raise InputError(f"{path}: grid: must be a list of points, each a mapping of settings")
    if len(points) > MOST_POINTS:
        raise InputError(
            f"{path}: grid: has {len(points)} points; allowed: at most {MOST_POINTS}, "
            "so that every model gets the same effort"
        )
    keys = {tuple(sorted(point)) for point in points}
    if len(keys) > 1:
        raise InputError(f"{path}: grid: all points must name the same settings")
    if any(point in points[:i] for i, point in enumerate(points)):
        raise InputError(f"{path}: grid: names a point twice")
