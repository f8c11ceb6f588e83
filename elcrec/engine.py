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

from elcrec.checkpoint import Checkpoints
from elcrec.dataset import InteractionData
from elcrec.errors import InputError
from elcrec.evaluation import Evaluator
from elcrec.graph import CudaBackend, GraphedStep
from elcrec.interface import Context, Protocol, SequenceModel
from elcrec.measure import Stopwatch
from elcrec.metrics import METRICS, summarise
from elcrec.resume import Resumable

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
    resumed_after: list[int] = field(default_factory=list)
    """Epochs whose checkpoint an interrupted training went on from."""


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
    graphs: bool = False,
    checkpoints: Checkpoints | None = None,
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
        graphs: Train from CUDA graphs (`elcrec.graph`): the same steps with fewer launches. Other
            devices than a GPU train as ever.
        checkpoints: Where to go on from, and where to write how far the training has come.

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

    model.train()
    model.start_training(context)
    optimiser = make_optimiser(model, settings)
    resumable = Resumable(model, context, optimiser, result, checkpoints)
    begin -= resumable.resume()
    step = make_step(model, context, optimiser, graphs)
    while not finished(result, settings):
        epoch = len(result.history) + 1
        before = dict(stopwatch.seconds)
        model.start_epoch(epoch - 1, context)
        with stopwatch("training"):
            losses = train_epoch(model, context, optimiser, settings.batch_size, step)
        check_finite(losses, epoch)
        with stopwatch("validation"):
            ranks = validation.ranks(model)
        metrics = summarise(ranks)
        row = {"epoch": float(epoch)}
        row |= {f"loss_{name}": value for name, value in losses.items()} | metrics
        row |= {f"seconds_{k}": v - before.get(k, 0.0) for k, v in stopwatch.seconds.items()}
        result.history.append(row)
        if is_best(result, settings.select_by):
            result.best_epoch = epoch
            result.ranks["valid"] = ranks
            result.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
        report(row)
        resumable.save_if_due(time.perf_counter() - begin)

    model.load_state_dict(result.weights)
    if test:
        with stopwatch("test"):
            result.ranks["test"] = Evaluator(data, "test", model.max_length, protocol).ranks(model)
    result.seconds = dict(stopwatch.seconds) | {"total": time.perf_counter() - begin}
    return result


def finished(result: Result, settings: TrainingSettings) -> bool:
    """Whether all epochs are done, or `patience` of them went by without a better one."""
    epochs = len(result.history)
    waited = epochs - result.best_epoch
    return epochs >= settings.max_epochs or bool(settings.patience and waited >= settings.patience)


def is_best(result: Result, select_by: str) -> bool:
    """Whether the last epoch's validation is better than that of the best epoch so far."""
    if select_by == LAST or result.best_epoch == 0:
        return True
    return result.history[-1][select_by] > result.history[result.best_epoch - 1][select_by]


def train_epoch(
    model: SequenceModel,
    context: Context,
    optimiser: torch.optim.Optimizer | None,
    batch_size: int,
    step: Step | None = None,
) -> dict[str, float]:
    """One pass over the samples in random order; returns the mean of each loss term.

    Args:
        model: Any model, in training mode.
        context: Data and randomness.
        optimiser: None, for a model without parameters: nothing is done.
        batch_size: Samples per step.
        step: What makes the steps, the same one in all epochs; an eager one by default.
    """
    count = model.n_samples(context.data)
    if count == 0 or optimiser is None:
        return {}
    step = step or Step(model, context, optimiser)
    order = torch.randperm(count, generator=context.generator, device=context.data.device)
    for samples in order.split(batch_size):
        step(samples, len(samples) / count)
    return step.read_losses()


class Step:
    """A training step; losses are added up on the device and read once, after an epoch."""

    def __init__(
        self,
        model: SequenceModel,
        context: Context,
        optimiser: torch.optim.Optimizer,
        graphed: GraphedStep | None = None,
    ) -> None:
        """Prepare steps of a model; with `graphed` they are replayed from graphs."""
        self.model = model
        self.context = context
        self.optimiser = optimiser
        self.sums: dict[str, Tensor] = {}  # of each term, weighted; they never move
        self.graphed = graphed

    def __call__(self, samples: Tensor, share: float) -> None:
        """Train on the samples (B,), which are this share of the epoch."""
        if self.graphed:
            self.graphed.take(self._train, samples, share)
        else:
            self._train(samples, share)

    def _train(self, samples: Tensor, share: float) -> None:
        terms = self.model.loss(self.model.batch(samples, self.context))
        self.optimiser.zero_grad(set_to_none=True)
        terms["total"].backward()
        self.optimiser.step()
        for name, value in terms.items():
            weighted = value.detach() * share
            if name in self.sums:
                self.sums[name] += weighted
            else:
                self.sums[name] = weighted

    def read_losses(self) -> dict[str, float]:
        """Mean of each term since the last call, which is the one wait for the device."""
        values = torch.stack(list(self.sums.values())).tolist()
        for total in self.sums.values():
            total.zero_()
        return dict(zip(self.sums, values, strict=True))


def make_step(
    model: SequenceModel,
    context: Context,
    optimiser: torch.optim.Optimizer | None,
    graphs: bool = False,
) -> Step | None:
    """Steps for `train_epoch`, from CUDA graphs if asked for and on a GPU; None as there."""
    if optimiser is None:
        return None
    if graphs and context.data.device.type == "cuda":
        backend = CudaBackend(context.generator, optimiser)
        return Step(model, context, optimiser, GraphedStep(backend))
    return Step(model, context, optimiser)


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
