"""Sections of the configuration.

Data sets and models named under `figures` count only if `use` and `models` name them too (of the
ablation, the last arm), so that a small configuration draws, and trains, no more than it asks for.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, WrapValidator, create_model

from elcrec.config.figures import KINDS, LISTED
from elcrec.config.names import DatasetName, ModelName
from elcrec.data.sources import Source
from elcrec.files.checked import FilePath, Line, Section, Some, Text, Unique


def _as_written(value: float, check: Callable[[float], float]) -> float:
    """Keep 1 as 1, not 1.0: values name folders."""
    check(value)
    return value


Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Threads = Annotated[int, Field(ge=1, le=1024)]
Epoch = Annotated[int, Field(ge=0, le=1_000_000)]
Number = Annotated[float, Field(ge=0), WrapValidator(_as_written)]


class Ablation(Section):
    """Parts of a model added one by one; missing runs are trained."""

    models: Unique[ModelName] = []
    """Ids of the arms; the last one is the whole model."""
    datasets: Unique[DatasetName] = []


class Sensitivity(Section):
    """One hyper-parameter changed at a time; every value is trained."""

    model: ModelName = "elcrec"
    datasets: Unique[DatasetName] = []
    seeds: Unique[Seed] = []
    alpha: Unique[Number] = []
    """Weights of the cluster loss."""
    intents: Unique[Annotated[int, Field(ge=1, le=2**31 - 1)]] = []
    """Numbers K of intents; no more than there are users."""
    training: dict[str, Any] = {}
    """Overrides of the training settings, e.g. fewer epochs."""


# A key for every kind of figure whose models are listed, such as `convergence`.
_fields: dict[str, Any] = {
    name: (Unique[ModelName], Field([], description=KINDS[name].about)) for name in LISTED
}
_Listed: Any = create_model("_Listed", __base__=Section, **_fields)


class FigureSettings(_Listed):
    """What is drawn, from the data sets in `use` and the models in `models`."""

    snapshot_epochs: Unique[Epoch] = []
    """Epochs after which a training saves user vectors and intents; 0 is before the first."""
    ablation: Ablation = Ablation()
    sensitivity: Sensitivity = Sensitivity()
    intents_of: ModelName = "elcrec"
    """Model of the t-SNE and of the case study."""
    seed: Seed = 1
    """Seed of the run that those two show; if `seeds` does not have it, the first of `seeds`."""

    def models_of(self, kind: str) -> list[str]:
        """Ids of the models listed for a kind of figure; empty for a kind without a list."""
        return list(getattr(self, kind)) if kind in LISTED else []

    def models(self) -> list[str]:
        """Ids of the models named, each once, except those of `LISTED` kinds, which add no runs."""
        named = [*self.ablation.models, self.sensitivity.model, self.intents_of]
        return list(dict.fromkeys(named))


class Efficiency(Section):
    """Tables 2 and 3: runs measured alone on the device."""

    models: Unique[ModelName] = []
    """Ids of the measured models."""
    seed: Seed = 1
    """Seed of the measured runs."""
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Epochs measured after one warm-up epoch."""


class Nightly(Section):
    """snakemake replication_check: fresh runs compared with those in `recorded`."""

    use: Some[DatasetName] = []
    """Data sets."""
    models: Some[ModelName] = []
    """Ids of the models; a model of your own has to be among `models` too."""
    seeds: Some[Seed] = []
    """A cell is the mean over these; all of them must be recorded."""


class External(Section):
    """Predictions of a model of another framework, which is not trained here."""

    name: Line | None = None
    """As the tables show it."""
    files: dict[DatasetName, Some[FilePath]]
    """Data set to files, one for each seed: see `elcrec.external.predictions`."""
    ids: Literal["raw", "numbers"] = "raw"
    """raw: ids of the raw data; numbers: those in sequences.txt."""
    missing: Literal["refuse", "miss"] = "refuse"
    """miss: users without a prediction are misses."""


class ReleasedWeights(Source):
    """Published weights of the authors, tested with this project's code."""

    file: Text
    path: None = None  # they are fetched into the folder of the data
    model: Literal["elcrec", "iclrec"]
    dataset: DatasetName
