"""What a measuring process is told to build; plain values, so that it can be sent as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from elcrec.config import Config, load_config
from elcrec.registry import RunSettings, add_model_file, resolve


@dataclass(frozen=True)
class Generated:
    """Size of a data set that is generated instead of read."""

    users: int
    """Number of users."""
    items: int
    """Number of items: the largest item id."""


@dataclass(frozen=True)
class Job:
    """One model on one data set."""

    dataset: str
    """Data set whose settings the model takes, and whose histories, if none are generated."""
    model: str
    """Model id, or a path to its YAML file."""
    config: tuple[str, ...] = ()
    """Configuration files, merged into the default one."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Values by key of the parameters or of the training settings."""
    seed: int = 1
    device: str = "auto"
    threads: int | None = None
    """CPU threads; None: as the configuration says."""
    graphs: bool = False
    """Whether steps are taken from CUDA graphs (`elcrec.graph`); a GPU only."""
    kernels: str | None = None
    """`plain` or `native` (`elcrec.native`); None: as the configuration says."""
    command: tuple[str, ...] = ()
    """Command line, for the record."""
    generated: Generated | None = None

    def changed(self, generated: Generated, **overrides: Any) -> Job:
        """The same with other data and some settings changed."""
        return replace(self, generated=generated, overrides={**self.overrides, **overrides})

    def resolve(self) -> tuple[Config, RunSettings]:
        """The configuration, and the settings of the model in it.

        Raises:
            InputError: A configuration, model or setting that is not right.
        """
        config = load_config(self.config)
        model = add_model_file(config, self.model)
        return config, resolve(config, model, self.dataset, self.overrides)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; `Job.read` takes them back."""
        return asdict(self)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Job:
        """Take back what `as_dict` gave, after a way through JSON."""
        size = values["generated"]
        return cls(
            **{
                **values,
                "config": tuple(values["config"]),
                "command": tuple(values["command"]),
                "generated": Generated(**size) if size else None,
            }
        )
