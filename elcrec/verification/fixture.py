"""The file format of golden fixtures, read and checked; `elcrec.verification.golden` says what they
hold."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elcrec.errors import InputError, brief, shown
from elcrec.files.npzfile import is_finite, read_arrays
from elcrec.models.transformer import TransformerModel
from elcrec.verification.tensor_names import to_released

BATCH = ("input_ids", "target_pos", "target_neg", "view_1", "view_2")
LOSSES = ("loss_next_item", "loss_instance", "loss_intent", "loss_total")
"""Losses that every step must have; steps of ELCRec also the first of `CLUSTER_LOSSES`."""
CLUSTER_LOSSES = ("loss_cluster", "loss_cluster_pull", "loss_cluster_push")
TENSORS = ("grad", "after")
"""Followed by the name of a tensor, whose shape they have."""
NORMS = ("grad_norm", "param_norm_after")
"""Followed by the name of a tensor, each one number."""


class Fixture:
    """An opened .npz file with grouped access."""

    def __init__(self, path: Path) -> None:
        """Read all arrays.

        Raises:
            InputError: The file is missing, holds anything but fixture arrays of finite numbers, or
                has no steps.
        """
        self.path = path
        self.arrays = read_arrays(path)
        for name, array in self.arrays.items():
            if not is_finite(array):
                raise InputError(f"{path}: {shown(name)} must be finite numbers")
            if not re.fullmatch(r"step\d+/.+|weights/.+|config/.+|kmeans_centroids", name):
                raise InputError(f"{path}: {shown(name)} is not an array of a golden fixture")
        self.steps = sorted({n.split("/")[0] for n in self.arrays if n.startswith("step")})
        if not self.steps:
            raise InputError(f"{path}: not a golden fixture: it has no 'step0/…' arrays")

    def group(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose names begin with `prefix/`, by the rest of the name."""
        start = len(prefix) + 1
        return {
            name[start:]: torch.from_numpy(_native(array))
            for name, array in self.arrays.items()
            if name.startswith(prefix + "/")
        }

    @property
    def centroids(self) -> Tensor | None:
        """(K, d) centroids of k-means, which only ICLRec has."""
        if "kmeans_centroids" not in self.arrays:
            return None
        tensor = torch.from_numpy(_native(self.arrays["kmeans_centroids"]))
        if tensor.ndim != 2 or not len(tensor):
            raise InputError(f"{self.path}: kmeans_centroids must have shape (K, d)")
        return tensor

    def check(self, model: TransformerModel, needed: Collection[str]) -> None:
        """Check the arrays that are replayed or compared with the model's.

        Args:
            model: A model with the fixture's sizes.
            needed: Losses that every step must have.

        Raises:
            InputError: A name is missing or matches nothing in the model, an array's shape differs
                from the model's, or an id is out of range.
        """
        items, width = model.encoder.items.weight.shape
        parameters = to_released(dict(model.named_parameters()))
        shapes = {f"{kind}/{n}": tuple(p.shape) for kind in TENSORS for n, p in parameters.items()}
        shapes |= {f"{kind}/{n}": () for kind in NORMS for n in parameters}
        shapes |= dict.fromkeys((*LOSSES, *CLUSTER_LOSSES), ())
        for step in self.steps:
            tensors = self.group(step)
            for name in (*BATCH, *needed):
                if name not in tensors:
                    raise InputError(f"{self.path}: has no {step}/{name}")
            inputs, length = tensors["input_ids"], model.max_length
            users = len(inputs) if inputs.ndim else 0
            outputs = {"sequence_output": (users, length, width), "assigned_intent": (users,)}
            expected_shapes = shapes | outputs | dict.fromkeys(BATCH, (users, length))
            for name, value in tensors.items():
                where = f"{self.path}: {brief(f'{step}/{name}')}"
                if name not in expected_shapes and name != "users":
                    raise InputError(f"{where} matches no tensor of the model")
                needed_shape = expected_shapes.get(name, value.shape)
                if value.shape != needed_shape:
                    raise InputError(
                        f"{where} has shape {tuple(value.shape)}, needed {needed_shape}"
                    )
                if name in BATCH and not (users and _are_ids(value, items)):
                    raise InputError(f"{where} must be item ids from 0 to {items - 1}")


def _are_ids(values: Tensor, items: int) -> bool:
    is_integer = not values.is_floating_point()
    return is_integer and bool(((values >= 0) & (values < items)).all())


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in a type that torch has: native byte order, no large unsigned ones."""
    if array.dtype.kind == "f":
        return array.astype(np.float64 if array.dtype.itemsize > 4 else np.float32)
    return array.astype(np.int64)
