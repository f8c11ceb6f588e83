"""A configuration is right only if every run that it asks for can be told its settings."""

from __future__ import annotations

from elcrec.config import Config
from elcrec.figures.plan import sensitivity_points
from elcrec.grid import read_grid
from elcrec.registry import resolve


def check_runs(config: Config) -> None:
    """Resolve all runs, grids and figures of a configuration, so that no job is refused later.

    Raises:
        InputError: The first that cannot be resolved; names file, key and what is allowed.
    """
    models = {*config.models, *config.efficiency.models, *config.optional.models}
    models |= {*config.figures.models(), *config.replication.models, *config.parameters}
    for model in sorted(models):
        for dataset in config.datasets:
            resolve(config, model, dataset)
    for model in config.models:
        for dataset in config.use:
            read_grid(config, model, dataset)
    sensitivity_points(config)
