"""Check a model against losses, outputs and gradients computed with the released code.

A fixture is an .npz file with some of: `weights/<tensor>`, `config/<size>`, `kmeans_centroids`, and
for each training step `step<i>/…`: the batch (`input_ids`, `target_pos`, `target_neg`, `view_1`,
`view_2`), `loss_<term>`, `sequence_output`, `assigned_intent`, `grad/<tensor>`,
`grad_norm/<tensor>`, `after/<tensor>` and `param_norm_after/<tensor>` (after one Adam step).
Tensors have the names of the released code. Dropout is off.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from baselines import iclrec
from elcrec.config.build import build as build_settings
from elcrec.errors import InputError
from elcrec.files.weights import fit
from elcrec.models import elcrec as elcrec_model
from elcrec.models.clustering import Fusion
from elcrec.models.interface import Batch
from elcrec.models.transformer import TransformerModel
from elcrec.training.settings import TrainingSettings
from elcrec.training.step import make_optimiser
from elcrec.verification.fixture import BATCH, LOSSES, Fixture
from elcrec.verification.tensor_names import from_released, load_released, to_released

TOLERANCE = 1e-4  # relative, float32
LARGEST_ALPHA = 1000.0  # the paper shows 0.01 to 100
# Adam's first steps divide a gradient by its own size, so where that is near zero rounding becomes
# a full step; parameters after a step are therefore compared by norm and more loosely.
AFTER_STEP = ("after", "param_norm_after")
AFTER_STEP_TOLERANCE = 1e-2
CLUSTER_PARTS = ("loss_cluster_pull", "loss_cluster_push")
# The cluster loss is the sum of these two, of about the same size and opposite sign. Rounding is
# relative to them and not to the remainder, so its deviation is measured against |pull| + |push|.


@dataclass(frozen=True)
class Deviation:
    """How far one quantity of one step is from the fixture."""

    step: str
    quantity: str
    relative: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether it is within its tolerance; False for NaN."""
        return self.relative <= self.tolerance


def verify(path: Path, weights: Path | None = None) -> list[Deviation]:
    """Replay the fixture's steps and compare everything in it.

    Args:
        path: The fixture.
        weights: Released weights to start from, for a fixture that contains none.

    Raises:
        InputError: The fixture cannot be read or is inconsistent, or needs `weights` and none are
            given.
    """
    fixture = Fixture(path)
    model = build(fixture, weights)
    optimiser = make_optimiser(model, TrainingSettings())
    assert optimiser is not None
    deviations: list[Deviation] = []
    for step in fixture.steps:
        expected = fixture.group(step)
        batch = make_batch(expected)
        hidden = model.encoder(batch.inputs).detach()
        terms = model.loss(batch)
        optimiser.zero_grad()
        terms["total"].backward()
        actual = {f"loss_{name}": value.detach() for name, value in terms.items()}
        actual |= {"sequence_output": hidden, "assigned_intent": assigned_intents(model, hidden)}
        named = dict(model.named_parameters())
        gradients = {n: torch.zeros_like(p) if p.grad is None else p.grad for n, p in named.items()}
        for name, gradient in to_released(gradients).items():
            actual |= {f"grad/{name}": gradient.clone(), f"grad_norm/{name}": gradient.norm()}
        optimiser.step()
        for name, parameter in to_released({n: p.detach() for n, p in named.items()}).items():
            actual |= {f"after/{name}": parameter, f"param_norm_after/{name}": parameter.norm()}
        deviations += compare(step, expected, actual)
        if recorded := fixture.group(f"{step}/after"):  # so that each step is compared by itself
            fit(model, from_released(fixture.path, recorded), str(fixture.path))
    return deviations


def build(fixture: Fixture, weights: Path | None) -> TransformerModel:
    """Make the model of a fixture: ICLRec if it contains k-means centroids, else ELCRec."""
    tensors = fixture.group("weights")
    if tensors:
        state = from_released(fixture.path, tensors)
    elif weights is not None:
        state = load_released(weights)
    else:
        raise InputError(f"{fixture.path}: has no weights; give the released ones with --weights")
    source = fixture.path if tensors else weights or fixture.path
    centroids, item_size = fixture.centroids, len(state["encoder.items.weight"])
    module = elcrec_model if centroids is None else iclrec
    centers = state.get("centers") if centroids is None else centroids
    if centers is None or not centers.ndim:
        raise InputError(f"{source}: has no cluster_centers, and the fixture no kmeans_centroids")
    sizes = {
        "dimension": state["encoder.items.weight"].shape[1],
        "max_length": len(state["encoder.positions.weight"]),
        "blocks": len({n.split(".")[2] for n in state if n.startswith("encoder.blocks.")}),
        "intents": len(centers),
    }
    parameters = build_settings(module.Hyperparameters, sizes, f"{source}: sizes")
    model: TransformerModel = module.Model(parameters, 1, item_size)
    fit(model, state, str(source))
    if isinstance(model, iclrec.Model):
        if centers.shape != model.centroids.shape:
            columns = sizes["dimension"]
            raise InputError(f"{fixture.path}: kmeans_centroids must have {columns} columns")
        model.centroids.copy_(centers)
        fixture.check(model, LOSSES)
        return model.eval()
    fixture.check(model, (*LOSSES, "loss_cluster"))
    return _fitting(fixture, parameters, state, item_size)


def make_batch(expected: Mapping[str, Tensor]) -> Batch:
    """The fixture's batch of one step."""
    inputs, targets, negatives, first, second = (expected[name].long() for name in BATCH)
    return Batch(torch.zeros(len(inputs)), inputs, targets, negatives, torch.stack([first, second]))


def compare(
    step: str, expected: Mapping[str, Tensor], actual: Mapping[str, Tensor]
) -> Iterator[Deviation]:
    """Yield the deviation of every quantity that the fixture has."""
    for name, value in expected.items():
        kind, _, tensor = name.partition("/")
        if name not in actual:  # part of the batch
            continue
        if kind == "assigned_intent":
            yield Deviation(step, name, float((actual[name] != value).double().mean()), 0.0)
            continue
        floor = 0.0
        if kind == "loss_cluster":
            floor = sum(float(expected.get(part, actual[part]).abs()) for part in CLUSTER_PARTS)
        elif kind in ("grad", "grad_norm") and tensor.endswith("key.bias"):
            # The softmax ignores a constant added to all keys: this gradient is rounding alone.
            floor = float(actual[f"grad_norm/{tensor.replace('key.bias', 'query.bias')}"])
        tolerance = AFTER_STEP_TOLERANCE if kind in AFTER_STEP else TOLERANCE
        yield Deviation(step, name, relative(actual[name], value, floor), tolerance)


def relative(actual: Tensor, expected: Tensor, floor: float = 0.0) -> float:
    """Norm of the difference over the norm of the expected (at least `floor`), in float64."""
    expected = expected.double()
    size = max(float(expected.norm()), floor)
    difference = float((actual.double() - expected).norm())
    return difference / size if size > 0 else difference


@torch.no_grad()
def assigned_intents(model: TransformerModel, hidden: Tensor) -> Tensor:
    """The cluster of each user (B,) given the outputs (B, L, d)."""
    pooled = hidden.mean(1)
    if isinstance(model, elcrec_model.Model):
        return model.elcm.assign(pooled)
    assert isinstance(model, iclrec.Model)
    return iclrec.nearest(pooled, model.centroids)


def _fitting(
    fixture: Fixture, sizes: elcrec_model.Hyperparameters, state: dict[str, Tensor], item_size: int
) -> elcrec_model.Model:
    """ELCRec with alpha and fusion, which fixtures do not store, found from step 0's losses."""
    first = fixture.group("step0")
    loss = {n: float(v) for n, v in first.items() if n.startswith("loss_")}
    other_losses = loss["loss_next_item"] + 0.1 * (loss["loss_instance"] + loss["loss_intent"])
    if not abs(loss["loss_total"] - other_losses) <= LARGEST_ALPHA * abs(loss["loss_cluster"]) > 0:
        raise InputError(f"{fixture.path}: the losses of step0 do not add up to loss_total")
    alpha = round((loss["loss_total"] - other_losses) / loss["loss_cluster"], 2)

    def candidate(fusion: Fusion) -> elcrec_model.Model:
        model = elcrec_model.Model(replace(sizes, alpha=alpha, fusion=fusion), 1, item_size)
        model.load_state_dict(state)
        return model.eval()

    def deviation(fusion: Fusion) -> float:
        with torch.no_grad():
            return abs(
                float(candidate(fusion).loss(make_batch(first))["instance"]) - loss["loss_instance"]
            )

    # Made anew: computing a loss changes the centers, which it normalises.
    return candidate(min(get_args(Fusion), key=deviation))
