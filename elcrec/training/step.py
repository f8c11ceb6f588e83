"""Training steps: forward, backward, Adam; and whole epochs of them.

Nothing in a step waits for the device, so the host can prepare the next ones, for this training or
for another one beside it (`elcrec.training.lanes`).
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from elcrec.errors import InputError
from elcrec.models.interface import Context, SequenceModel
from elcrec.training.graph import CudaBackend, GraphedStep
from elcrec.training.precision import Precision, autocast, multiplying
from elcrec.training.settings import TrainingSettings
from elcrec.training.turns import Stepwise, Turns


@dataclass(eq=False)
class Step:
    """A training step; losses are added up on the device and read once, after an epoch."""

    model: SequenceModel
    context: Context
    optimiser: torch.optim.Optimizer
    graphed: GraphedStep | None = None
    """Replays the steps from graphs."""
    precision: Precision = "float32"
    sums: dict[str, Tensor] = field(default_factory=dict, init=False)
    """Weighted sum of each term; always the same tensors."""
    good_steps: Tensor = field(init=False)
    """Number of steps before the first one that was not finite."""

    def __post_init__(self) -> None:
        self.good_steps = torch.zeros((), device=self.context.data.device)

    def __call__(self, samples: Tensor, share: float) -> None:
        """Train on the samples (B,), which are this share of the epoch."""
        if self.graphed:
            self.graphed.take(self._train, samples, share)
        else:
            self._train(samples, share)

    def _train(self, samples: Tensor, share: float) -> None:
        batch = self.model.batch(samples, self.context)
        self.optimiser.zero_grad(set_to_none=True)
        with multiplying(self.precision):
            with autocast(self.precision, samples.device):
                terms = self.model.loss(batch)
            terms["total"].backward()
        self.optimiser.step()
        for name, value in terms.items():
            weighted = value.detach() * share
            if name in self.sums:
                self.sums[name] += weighted
            else:
                self.sums[name] = weighted
        # A sum that is not finite stays so. Terms outside the total are checked, too.
        everything = torch.stack([value.float() for value in self.sums.values()]).sum()
        self.good_steps += (everything - everything) == 0

    def read_losses(self, epoch: int = 1) -> dict[str, float]:
        """Mean of each term since the last call; the only wait for the device.

        Raises:
            InputError: A loss or a weight is NaN or infinite; names the first bad batch.
        """
        finite = torch.stack([p.isfinite().all() for p in self.model.parameters()]).all()
        read = torch.stack([*self.sums.values(), self.good_steps, finite.float()]).tolist()
        *values, good_steps, weights = read
        for total in (*self.sums.values(), self.good_steps):
            total.zero_()
        losses = dict(zip(self.sums, values, strict=True))
        check_finite(losses, bool(weights), int(good_steps) + 1, epoch)
        return losses


def make_step(
    model: SequenceModel,
    context: Context,
    optimiser: torch.optim.Optimizer | None,
    graphs: bool = False,
    precision: Precision = "float32",
) -> Step | None:
    """Steps for `train_epoch`, from CUDA graphs if requested and on a GPU.

    None without an optimiser, for a model without parameters: nothing is trained.
    """
    if optimiser is None:
        return None
    graphed = None
    if graphs and context.data.device.type == "cuda":
        graphed = GraphedStep(CudaBackend(context.generator, optimiser))
    return Step(model, context, optimiser, graphed, precision)


@Stepwise
def train_epoch(step: Step | None, batch_size: int, epoch: int = 1) -> Turns[dict[str, float]]:
    """One pass over the samples in random order; returns the mean of each loss term.

    Args:
        step: Makes the steps, the same object in all epochs; its model is in training mode.
            None, for a model without parameters: nothing is done.
        batch_size: Samples per step.
        epoch: Number of the pass, for messages.

    Raises:
        InputError: A loss or a weight is no longer finite.
    """
    if step is None or (count := step.model.n_samples(step.context.data)) == 0:
        return {}
    generator, device = step.context.generator, step.context.data.device
    order = torch.randperm(count, generator=generator, device=device)
    for samples in order.split(batch_size):
        step(samples, len(samples) / count)
        yield
    yield from until_done(device)
    return step.read_losses(epoch)


def until_done(device: torch.device) -> Turns[None]:
    """Leave turns to others until the device has finished what this training has queued."""
    if device.type == "cuda":
        event = torch.cuda.Event()
        event.record()
        while not event.query():
            yield


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


def check_finite(losses: dict[str, float], weights: bool, batch: int, epoch: int) -> None:
    """Raise an error if an epoch ended with a loss or a weight that is not finite.

    Args:
        losses: Mean of each term over the epoch.
        weights: Whether all weights are finite.
        batch: The first one in which a loss was not finite, from 1.
        epoch: From 1.

    Raises:
        InputError: The training diverged.
    """
    for name, value in losses.items():
        if not math.isfinite(value):
            raise InputError(
                f"training diverged: loss '{name}' is {value} since batch {batch} of epoch "
                f"{epoch}; try a smaller training.learning_rate"
            )
    if not weights:
        raise InputError(
            "training diverged: a weight is not finite after the last batch of epoch "
            f"{epoch}; try a smaller training.learning_rate"
        )
