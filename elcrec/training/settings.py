"""Settings of the optimisation and of the choice of the best epoch, the same for all models."""

from dataclasses import dataclass

from elcrec.errors import at_least, shown
from elcrec.evaluation.metrics import SELECTABLE

LAST = "last"
"""As `select_by`: no epoch is chosen, the last one is kept."""
BEFORE = "before"
"""Metadata key of a setting that was added later: the value that earlier runs were trained with.
With that value it is left out of the hash of a run's settings, so earlier hashes stay valid."""


@dataclass(frozen=True)
class TrainingSettings:
    """Optimisation and selection; the defaults are the protocol of the paper's released code."""

    batch_size: int = 256
    """Samples per step; the last batch of an epoch may be smaller and is kept."""
    learning_rate: float = 0.001
    """Step size of Adam."""
    beta1: float = 0.9
    """Adam's decay of the first moment."""
    beta2: float = 0.999
    """Adam's decay of the second moment."""
    weight_decay: float = 0.0
    """L2 penalty, added to the gradient by Adam."""
    max_epochs: int = 300
    """Maximum number of training epochs."""
    patience: int = 40
    """Stop after this many epochs without a better validation score; 0: never."""
    select_by: str = "NDCG@20"
    """Validation metric that picks the best epoch; `last`: none, the last epoch is kept."""

    def __post_init__(self) -> None:
        at_least(1, self, "batch_size", "max_epochs")
        at_least(0, self, "patience", "weight_decay")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")
        if self.select_by not in (*SELECTABLE, LAST):
            allowed = ", ".join((*SELECTABLE, LAST))
            raise ValueError(f"select_by must be one of {allowed}, got {shown(self.select_by)}")
