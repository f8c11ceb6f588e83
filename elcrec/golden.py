"""Check a model against losses, outputs and gradients computed with the released code.

A fixture is an .npz file with some of: `weights/<tensor>`, `config/<size>`, `kmeans_centroids`, and
for each training step `step<i>/…`: the batch (`input_ids`, `target_pos`, `target_neg`, `view_1`,
`view_2`), `loss_<term>`, `sequence_output`, `assigned_intent`, `grad/<tensor>`,
`grad_norm/<tensor>`, `after/<tensor>` and `param_norm_after/<tensor>` (after one Adam step).
Tensors have the names of the released code. Dropout is off.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from baselines import iclrec
from elcrec import model as elcrec_model
from elcrec.errors import InputError
from elcrec.interface import Batch
from elcrec.released import from_released, load_released, to_released
from elcrec.step import make_optimiser
from elcrec.training_settings import TrainingSettings
from elcrec.transformer import TransformerModel

TOLERANCE = 1e-4  # relative, float32
# Adam's first steps divide a gradient by its own size, so where that is near zero rounding becomes
# a full step; parameters after a step are therefore compared by norm and more loosely.
AFTER_STEP_TOLERANCE = 1e-2
# The softmax ignores a constant added to all keys, so the key bias has no gradient beyond rounding;
# its deviation is measured against the query bias of the same layer.


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


class Fixture:
    """An opened .npz file with grouped access."""

    def __init__(self, path: Path) -> None:
        try:
            with np.load(path, allow_pickle=False) as archive:
                self.arrays = {name: archive[name] for name in archive.files}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: not a golden fixture (.npz): {error}") from None
        self.path = path
        self.steps = sorted({n.split("/")[0] for n in self.arrays if n.startswith("step")})
        if not self.steps:
            raise InputError(f"{path}: not a golden fixture: it has no 'step0/…' arrays")

    def group(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name begins with `prefix/`, without it."""
        cut = len(prefix) + 1
        return {
            name[cut:]: torch.from_numpy(np.asarray(array))
            for name, array in self.arrays.items()
            if name.startswith(prefix + "/")
        }


def verify(path: Path, weights: Path | None = None) -> list[Deviation]:
    """Replay the fixture's steps and compare everything it holds.

    Args:
        path: The fixture.
        weights: Released weights to start from, for a fixture that carries none.

    Raises:
        InputError: The fixture cannot be read, or needs `weights` and none are given.
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
        found = {f"loss_{name}": value.detach() for name, value in terms.items()}
        found["sequence_output"] = hidden
        found["assigned_intent"] = assigned_intents(model, hidden)
        gradients = to_released({n: _gradient(p) for n, p in model.named_parameters()})
        optimiser.step()
        after = to_released({n: p.detach() for n, p in model.named_parameters()})
        deviations += compare(step, expected, found, gradients, after)
        follow(model, fixture.group(f"{step}/after"))
    return deviations


@torch.no_grad()
def follow(model: TransformerModel, after: dict[str, Tensor]) -> None:
    """Go on from the fixture's own parameters where it has them, so that steps compare apart."""
    if after:
        model.load_state_dict(from_released(after))


def build(fixture: Fixture, weights: Path | None) -> TransformerModel:
    """Make the model that a fixture speaks of: ICLRec when it carries k-means centroids."""
    tensors = fixture.group("weights")
    if tensors:
        state = from_released(tensors)
    elif weights is not None:
        state = load_released(weights)
    else:
        raise InputError(f"{fixture.path}: carries no weights; name the released ones by --weights")
    item_size, dimension = state["encoder.items.weight"].shape
    sizes: dict[str, Any] = {
        "dimension": dimension,
        "max_length": len(state["encoder.positions.weight"]),
        "blocks": 1 + max(int(n.split(".")[2]) for n in state if n.startswith("encoder.blocks.")),
    }
    model: TransformerModel
    if "kmeans_centroids" in fixture.arrays:
        centroids = torch.from_numpy(fixture.arrays["kmeans_centroids"])
        parameters = iclrec.Hyperparameters(**sizes, intents=len(centroids))
        model = iclrec.Model(parameters, 1, item_size)
        model.centroids.copy_(centroids)
    else:
        chosen = elcrec_model.Hyperparameters(**sizes, intents=len(state["centers"]))
        model = elcrec_model.Model(_fit_options(fixture, chosen, state, item_size), 1, item_size)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"{weights or fixture.path}: {str(error).splitlines()[-1].strip()}"
        ) from None
    return model.eval()


def make_batch(expected: Mapping[str, Tensor]) -> Batch:
    """The fixture's batch of one step."""
    names = ("input_ids", "target_pos", "target_neg", "view_1", "view_2")
    inputs, targets, negatives, first, second = (expected[name].long() for name in names)
    return Batch(torch.zeros(len(inputs)), inputs, targets, negatives, torch.stack([first, second]))


def compare(
    step: str,
    expected: Mapping[str, Tensor],
    found: Mapping[str, Tensor],
    gradients: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
) -> Iterator[Deviation]:
    """Yield the deviation of every quantity that the fixture has."""
    for name, value in expected.items():
        kind, _, tensor = name.partition("/")
        if kind in ("grad", "grad_norm"):
            mine = gradients[tensor]
            floor = float(gradients[tensor.replace("key.bias", "query.bias")].norm())
            floor = floor if tensor.endswith("key.bias") else 0.0
            mine = mine if kind == "grad" else mine.norm()
            yield Deviation(step, name, relative(mine, value, floor), TOLERANCE)
        elif kind == "after":
            yield Deviation(step, name, relative(after[tensor], value), AFTER_STEP_TOLERANCE)
        elif kind == "param_norm_after":
            yield Deviation(step, name, relative(after[tensor].norm(), value), AFTER_STEP_TOLERANCE)
        elif kind == "assigned_intent":
            wrong = (found[kind] != value).double().mean()
            yield Deviation(step, name, float(wrong), 0.0)
        elif kind in found:
            yield Deviation(step, name, relative(found[kind], value), TOLERANCE)


def relative(found: Tensor, expected: Tensor, floor: float = 0.0) -> float:
    """Norm of the difference over the norm of the expected (at least `floor`), in float64."""
    expected = expected.double()
    size = max(float(expected.norm()), floor)
    difference = float((found.double() - expected).norm())
    return difference / size if size > 0 else difference


@torch.no_grad()
def assigned_intents(model: TransformerModel, hidden: Tensor) -> Tensor:
    """The cluster of each user (B,) given the outputs (B, L, d)."""
    pooled = hidden.mean(1)
    if isinstance(model, elcrec_model.Model):
        model.normalise_centers()
        return elcrec_model.nearest(torch.nn.functional.normalize(pooled), model.centers)
    assert isinstance(model, iclrec.Model)
    return iclrec.nearest(pooled, model.centroids)


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()


def _fit_options(
    fixture: Fixture, sizes: elcrec_model.Hyperparameters, state: dict[str, Tensor], item_size: int
) -> elcrec_model.Hyperparameters:
    """Find alpha and the fusion, which fixtures do not store, from the losses of the first step."""
    first = fixture.group("step0")
    loss = {n: float(v) for n, v in first.items() if n.startswith("loss_")}
    rest = loss["loss_next_item"] + 0.1 * (loss["loss_instance"] + loss["loss_intent"])
    alpha = round((loss["loss_total"] - rest) / loss["loss_cluster"], 2)
    fits = {}
    for fusion in ("shift", "concat", "none"):
        options = replace(sizes, alpha=alpha, fusion=fusion)
        model = elcrec_model.Model(options, 1, item_size).eval()
        model.load_state_dict(state)
        with torch.no_grad():
            instance = model.loss(make_batch(first))["instance"]
        fits[abs(float(instance) - loss["loss_instance"])] = options
    return fits[min(fits)]
