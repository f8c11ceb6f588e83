"""Settings of the optimisation and of the choice of the best epoch, the same for all models."""

from __future__ import annotations

from dataclasses import dataclass

from elcrec.metrics import METRICS

LAST = "last"
"""As `select_by`: no epoch is chosen, the last one is kept."""


@dataclass(frozen=True)
class TrainingSettings:
    """Optimisation and selection; the defaults are the protocol of the paper's released code."""

    batch_size: int = 256
    """Samples per step; the last batch of an epoch is smaller and kept."""
    learning_rate: float = 0.001
    """Step size of Adam."""
    beta1: float = 0.9
    """Adam's decay of the first moment."""
    beta2: float = 0.999
    """Adam's decay of the second moment."""
    weight_decay: float = 0.0
    """L2 penalty, added to the gradient by Adam."""
    max_epochs: int = 300
    """Most epochs of training."""
    patience: int = 40
    """Stop after this many epochs without a better validation score; 0: never."""
    select_by: str = "NDCG@20"
    """Validation metric that picks the best epoch; `last`: none, the last epoch is kept."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "max_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if self.patience < 0 or self.weight_decay < 0:
            raise ValueError("patience and weight_decay must be 0 or more")
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ValueError("beta1 and beta2 must be in [0, 1)")
        if self.select_by not in (*METRICS, LAST):
            raise ValueError(f"select_by must be one of {', '.join(METRICS)}, {LAST}")
