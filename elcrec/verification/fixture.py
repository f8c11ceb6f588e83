"""The file format of golden fixtures, read and checked; `elcrec.verification.golden` says what they
hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elcrec.errors import InputError, shown
from elcrec.files.npzfile import is_finite, read_arrays
from elcrec.models.transformer import TransformerModel
from elcrec.verification.tensor_names import to_released

BATCH = ("input_ids", "target_pos", "target_neg", "view_1", "view_2")
LOSSES = ("loss_next_item", "loss_instance", "loss_intent", "loss_total")
"""Which every step must have; those of ELCRec `loss_cluster`, too."""
MORE = ("users", "loss_cluster", "loss_cluster_pull", "loss_cluster_push")
OUTPUTS = ("sequence_output", "assigned_intent")
TENSORS = ("grad", "after")
"""Followed by the name of a tensor, and as large; `NORMS` likewise, each one number."""
NORMS = ("grad_norm", "param_norm_after")


class Fixture:
    """An opened .npz file with grouped access."""

    def __init__(self, path: Path) -> None:
        """Read all arrays.

        Raises:
            InputError: No such file, none of arrays of finite numbers, or one without steps.
        """
        self.path = path
        self.arrays = read_arrays(path)
        for name, array in self.arrays.items():
            if not is_finite(array):
                raise InputError(f"{path}: {shown(name)} must be finite numbers")
            if not re.fullmatch(r"step\d+/.+|weights/.+|config/.+|kmeans_centroids", name):
                raise InputError(f"{path}: {shown(name)} is no array of a golden fixture")
        self.steps = sorted({n.split("/")[0] for n in self.arrays if n.startswith("step")})
        if not self.steps:
            raise InputError(f"{path}: not a golden fixture: it has no 'step0/…' arrays")

    def group(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name begins with `prefix/`, without it."""
        cut = len(prefix) + 1
        return {
            name[cut:]: torch.from_numpy(_native(array))
            for name, array in self.arrays.items()
            if name.startswith(prefix + "/")
        }

    @property
    def centroids(self) -> Tensor | None:
        """(K, d) centroids of k-means, which only ICLRec has."""
        if "kmeans_centroids" not in self.arrays:
            return None
        found = torch.from_numpy(_native(self.arrays["kmeans_centroids"]))
        if found.ndim != 2 or not len(found):
            raise InputError(f"{self.path}: kmeans_centroids must be (K, d)")
        return found

    def check_steps(self, items: int, length: int, losses: tuple[str, ...] = LOSSES) -> None:
        """Check batches and losses before anything is computed from them.

        Args:
            items: Rows of the item table; ids are smaller.
            length: Window L of the model.
            losses: What every step must have.

        Raises:
            InputError: One is missing, or has another shape or an id out of range.
        """
        for step in self.steps:
            found = self.group(step)
            users = len(found["input_ids"]) if found.get("input_ids", torch.empty(())).ndim else 0
            for name in (*BATCH, *losses):
                if name not in found:
                    raise InputError(f"{self.path}: has no {step}/{name}")
                ids = name in BATCH
                shape = (users, length) if ids else ()
                self._expect(f"{step}/{name}", found[name], shape)
                if ids and (not users or not _are_ids(found[name], items)):
                    raise InputError(
                        f"{self.path}: {step}/{name} must be item ids from 0 to {items - 1}"
                    )

    def check_quantities(self, model: TransformerModel) -> None:
        """Check what is to be compared with the model's: known names, fitting shapes.

        Raises:
            InputError: A name that is compared with nothing, or another shape than the model's.
        """
        shapes = {n: p.shape for n, p in to_released(dict(model.named_parameters())).items()}
        width = int(model.parameters_used.dimension)
        for step in self.steps:
            users, length = self.arrays[f"{step}/input_ids"].shape
            outputs = {"sequence_output": (users, length, width), "assigned_intent": (users,)}
            for name, value in self.group(step).items():
                kind, _, tensor = name.partition("/")
                if kind in (*TENSORS, *NORMS) and tensor in shapes:
                    shape = tuple(shapes[tensor]) if kind in TENSORS else ()
                elif name in OUTPUTS:
                    shape = outputs[name]
                elif name in (*BATCH, *LOSSES, *MORE):
                    continue
                else:
                    raise InputError(f"{self.path}: {shown(f'{step}/{name}')} fits no tensor")
                self._expect(f"{step}/{name}", value, shape)

    def _expect(self, name: str, value: Tensor, shape: tuple[int, ...]) -> None:
        if tuple(value.shape) != shape:
            raise InputError(f"{self.path}: {name} has shape {tuple(value.shape)}, needed {shape}")


def block_count(path: Path, state: Mapping[str, Tensor]) -> int:
    """Number of Transformer blocks of a state dictionary under our names.

    Raises:
        InputError: They are not numbered 0, 1, …
    """
    blocks = {name.split(".")[2] for name in state if name.startswith("encoder.blocks.")}
    if blocks != {str(i) for i in range(len(blocks))} or not blocks:
        raise InputError(f"{path}: its Transformer blocks must be numbered from 0")
    return len(blocks)


def _are_ids(values: Tensor, items: int) -> bool:
    whole = not values.is_floating_point()
    return whole and bool(((values >= 0) & (values < items)).all())


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in a type that torch has: no other byte order, no unsigned large ones."""
    if array.dtype.kind == "f":
        return array.astype(np.float64 if array.dtype.itemsize > 4 else np.float32)
    return array.astype(np.int64)
