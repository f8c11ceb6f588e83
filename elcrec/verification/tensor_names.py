"""Weights of the authors' code in our modules: names, shapes, safe loading.

The ELCRec and ICLRec repositories publish PyTorch state dictionaries. Ours differ in names, and in
that query, key and value are one linear layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from elcrec.errors import InputError, shown
from elcrec.files.weights import read_weights

# Authors' prefix -> ours; {i} is the number of the block.
TOP = {
    "item_embeddings.": "encoder.items.",
    "position_embeddings.": "encoder.positions.",
    "LayerNorm.": "encoder.norm.",
    "cluster_centers": "centers",
}
BLOCK = {
    "attention.dense.": "attention.output.",
    "attention.LayerNorm.": "attention.norm.",
    "intermediate.dense_1.": "feed_forward.expand.",
    "intermediate.dense_2.": "feed_forward.contract.",
    "intermediate.LayerNorm.": "feed_forward.norm.",
}
NEEDED = ("item_embeddings.weight", "position_embeddings.weight")
PARTS = ("query", "key", "value")  # order of the rows in our attention.projection


def from_released(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the authors' tensors and join query, key and value.

    Works for weights and for gradients alike.

    Raises:
        InputError: A name that neither repository has, or query, key and value that do not fit.
    """
    ours: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if ".attention.query." in name:
            parts = [tensors.get(name.replace("query", part)) for part in PARTS]
            whole = [part for part in parts if part is not None and part.shape == tensor.shape]
            if len(whole) < len(PARTS) or not tensor.ndim:
                raise InputError(f"{shown(name)} needs a key and a value of its shape")
            ours[_block(name).replace("attention.query.", "attention.projection.")] = torch.cat(
                whole
            )
        elif ".attention.key." not in name and ".attention.value." not in name:
            ours[_rename(name)] = tensor
    return ours


def to_released(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give our tensors the authors' names; the inverse of `from_released`."""
    theirs: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if ".attention.projection." in name:
            for part, rows in zip(PARTS, tensor.chunk(3), strict=True):
                theirs[_unblock(name).replace("attention.projection.", f"attention.{part}.")] = rows
        else:
            theirs[_unrename(name)] = tensor
    return theirs


def load_released(path: Path) -> dict[str, Tensor]:
    """Read a published state dictionary under our names; no code from the file is run.

    Raises:
        InputError: The file is missing or not a state dictionary of this model family.
    """
    return from_released_in(path, read_weights(path))


def from_released_in(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same of tensors that a file holds, which every model of this family must have.

    Raises:
        InputError: One is missing or not of this family; the message names the file.
    """
    for name in NEEDED:
        if name not in tensors or tensors[name].ndim != 2:
            raise InputError(f"{path}: not a state dictionary with the matrix '{name}'")
    try:
        return from_released(tensors)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _block(name: str) -> str:
    return name.replace("item_encoder.layer.", "encoder.blocks.")


def _unblock(name: str) -> str:
    return name.replace("encoder.blocks.", "item_encoder.layer.")


def _rename(name: str) -> str:
    inside = name.startswith("item_encoder.layer.")
    for theirs, ours in (BLOCK if inside else TOP).items():
        if theirs in name:
            return _block(name).replace(theirs, ours)
    raise InputError(f"unknown tensor {shown(name)}")


def _unrename(name: str) -> str:
    inside = name.startswith("encoder.blocks.")
    for theirs, ours in (BLOCK if inside else TOP).items():
        if ours in name:
            return _unblock(name).replace(ours, theirs)
    raise InputError(f"'{name}' has no counterpart in the released code")
