"""Section `industrial` of the configuration: the paper's industrial part on public data."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from elcrec.config.model_file import Name
from elcrec.config.sections import Number, Seed
from elcrec.data.sources import Source
from elcrec.errors import unknown
from elcrec.files.checked import Count, Positive, Section, Share, Some, Text

FILES = {
    "ml-100k": ("inter", "user", "item"),
    "kuairand-pure": ("archive",),
    "census-income": ("train", "test"),
}
"""Which files a format consists of."""
MODELS = {
    "single": "Single-task",
    "mmoe": "B (MMoE)",
    "mmoe_kmeans": "B + k-means",
    "mmoe_elcm": "B + ELCM",
}
"""Models and their names in tables; B is the paper's name for the model without the module."""
CLUSTERED = ("mmoe_kmeans", "mmoe_elcm")
"""Models with user clusters."""


class ImpressionLog(Section):
    """A data set of interactions with several labels."""

    name: Text
    """As the tables show it."""
    format: Literal["ml-100k", "kuairand-pure", "census-income"]
    """Decides who reads it: see elcrec/industrial/readers.py."""
    files: dict[Name, Source]
    """Its files, by the names of `FILES`."""

    @model_validator(mode="after")
    def _has_its_files(self) -> Self:
        if self.files.keys() != set(FILES[self.format]):
            raise ValueError(f"files: must be {', '.join(FILES[self.format])}")
        return self


class Network(Section):
    """Hyper-parameters of all models; the YAML file gives the source of each value."""

    experts: Positive
    """Number of experts."""
    expert_width: Positive
    """Hidden units of an expert; an expert has one layer."""
    tower_width: Positive
    """Hidden units of a task's tower; a tower has one hidden layer."""
    embedding: Positive
    """Length of the embedding of a categorical feature."""
    user_width: Positive
    """Length of the user vectors, which are clustered."""
    clusters: Positive
    """Number K of clusters."""
    alpha: Number
    """Weight of the cluster loss."""
    learning_rate: Annotated[float, Field(ge=1e-9, le=1)]
    """Step size of Adam."""
    batch_size: Positive
    """Interactions per step."""
    max_epochs: Positive
    """Maximum number of epochs."""
    patience: Count
    """Stop after this many epochs without a better mean validation AUC; 0: never."""


class Industrial(Section):
    """snakemake industrial: a multi-gate mixture of experts with and without the module."""

    use: Some[Name]
    """Data sets, keys of `datasets` below."""
    seeds: Some[Seed]
    """One run of every model on every data set per seed."""
    train: Share
    """Share of the interactions, the earliest ones, used for training."""
    valid: Share
    """Share after these, used to choose the epoch; the rest is the test period."""
    datasets: dict[Name, ImpressionLog]
    """Every known data set."""
    network: Network
    """Hyper-parameters of all models."""

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        for name in self.use:
            if name not in self.datasets:
                raise ValueError(f"use: {unknown('data set', name, self.datasets)}")
        if self.train + self.valid >= 1:
            raise ValueError("train and valid must sum to less than 1, to leave some for the test")
        return self

    def models(self, dataset: str) -> list[str]:
        """The models for a data set: without user ids there are no users to cluster."""
        no_users = self.datasets[dataset].format == "census-income"
        return [model for model in MODELS if not (no_users and model in CLUSTERED)]
