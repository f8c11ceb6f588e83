"""Training: one loop and one early-stopping rule for every model.

The whole protocol reads from top to bottom in `train`: hooks of the model, epochs of steps over a
random permutation of the samples, full-ranking validation after each epoch, the best epoch kept,
and one test with it at the end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from elcrec.dataset import InteractionData
from elcrec.errors import InputError
from elcrec.evaluation import Evaluator
from elcrec.interface import Context, Protocol, SequenceModel
from elcrec.measure import Stopwatch
from elcrec.metrics import METRICS, summarise

LAST = "last"


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


@dataclass
class Result:
    """What a training run found out."""

    best_epoch: int = 0
    """Epoch (from 1) whose weights were tested."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One row per epoch: epoch, mean loss terms, validation metrics, seconds per phase."""
    ranks: dict[str, np.ndarray] = field(default_factory=dict)
    """0-based ranks per user, (users,) int32, of `valid` and `test` with the best weights."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds: total, training, validation, kmeans, test."""
    weights: dict[str, Tensor] = field(default_factory=dict)
    """State of the model at the best epoch."""


Report = Callable[[dict[str, float]], None]


def train(
    model: SequenceModel,
    data: InteractionData,
    settings: TrainingSettings,
    *,
    seed: int,
    protocol: Protocol = "paper",
    report: Report = lambda row: None,
    test: bool = True,
) -> Result:
    """Train `model` on the device of `data`, select by validation, test once.

    Args:
        model: Any model of the benchmark, already on the device.
        data: The histories.
        settings: Optimisation and selection.
        seed: Seeds sampling, dropout and k-means; the caller seeds the initial weights.
        protocol: How items seen before are ranked; the model's own `protocol` goes before it.
        report: Called after each epoch with its history row.
        test: False leaves the test split alone, for choices that must not see it.

    Raises:
        InputError: The loss is no longer a finite number.
    """
    begin = time.perf_counter()
    torch.manual_seed(seed)  # dropout
    stopwatch = Stopwatch(data.device)
    context = Context(data, torch.Generator(data.device).manual_seed(seed), seed, stopwatch)
    protocol = model.protocol or protocol
    validation = Evaluator(data, "valid", model.max_length, protocol)
    result = Result()
    best_score = -math.inf

    model.train()
    model.start_training(context)
    optimiser = make_optimiser(model, settings)
    for epoch in range(1, settings.max_epochs + 1):
        before = dict(stopwatch.seconds)
        model.start_epoch(epoch - 1, context)
        with stopwatch("training"):
            losses = train_epoch(model, context, optimiser, settings.batch_size)
        check_finite(losses, epoch)
        with stopwatch("validation"):
            ranks = validation.ranks(model)
        metrics = summarise(ranks)
        row = {"epoch": float(epoch)}
        row |= {f"loss_{name}": value for name, value in losses.items()} | metrics
        row |= {f"seconds_{k}": v - before.get(k, 0.0) for k, v in stopwatch.seconds.items()}
        result.history.append(row)
        score = epoch if settings.select_by == LAST else metrics[settings.select_by]
        if score > best_score:
            best_score = score
            result.best_epoch = epoch
            result.ranks["valid"] = ranks
            result.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
        report(row)
        if settings.patience and epoch - result.best_epoch >= settings.patience:
            break

    model.load_state_dict(result.weights)
    if test:
        with stopwatch("test"):
            result.ranks["test"] = Evaluator(data, "test", model.max_length, protocol).ranks(model)
    result.seconds = dict(stopwatch.seconds) | {"total": time.perf_counter() - begin}
    return result


def train_epoch(
    model: SequenceModel,
    context: Context,
    optimiser: torch.optim.Optimizer | None,
    batch_size: int,
) -> dict[str, float]:
    """One pass over the samples in random order; returns the mean of each loss term.

    Losses are added up on the device and read once, after the last step.
    """
    count = model.n_samples(context.data)
    if count == 0 or optimiser is None:
        return {}
    device = context.data.device
    order = torch.randperm(count, generator=context.generator, device=device)
    sums: dict[str, Tensor] = {}
    for samples in order.split(batch_size):
        terms = model.loss(model.batch(samples, context))
        optimiser.zero_grad(set_to_none=True)
        terms["total"].backward()
        optimiser.step()
        for name, value in terms.items():
            weighted = value.detach() * (len(samples) / count)
            sums[name] = sums[name] + weighted if name in sums else weighted
    values = torch.stack(list(sums.values())).tolist()
    return dict(zip(sums, values, strict=True))


def make_optimiser(model: SequenceModel, settings: TrainingSettings) -> torch.optim.Adam | None:
    """Adam over all parameters, in one fused kernel; None for a model without any."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        return None
    return torch.optim.Adam(
        parameters,
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        weight_decay=settings.weight_decay,
        fused=True,
    )


def check_finite(losses: dict[str, float], epoch: int) -> None:
    """Refuse to go on when a loss is NaN or infinite."""
    for name, value in losses.items():
        if not math.isfinite(value):
            raise InputError(
                f"training diverged: loss '{name}' is {value} in epoch {epoch}; "
                "try a smaller training.learning_rate"
            )
