"""Weights of the authors' code for our modules: names, shapes, safe loading.

The ELCRec and ICLRec repositories publish PyTorch state dictionaries. Ours differ in names, and in
that query, key and value are one linear layer.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from elcrec.errors import InputError, shown
from elcrec.files.weights import read_weights

NAMES = {
    "item_encoder.layer.": "encoder.blocks.",
    "attention.dense.": "attention.output.",
    "attention.LayerNorm.": "attention.norm.",
    "intermediate.dense_1.": "feed_forward.expand.",
    "intermediate.dense_2.": "feed_forward.contract.",
    "intermediate.LayerNorm.": "feed_forward.norm.",
    "item_embeddings.": "encoder.items.",
    "position_embeddings.": "encoder.positions.",
    "LayerNorm.": "encoder.norm.",
    "cluster_centers": "centers",
}
"""Parts of the authors' names, mapped to ours in the order in which they are replaced."""
PARTS = ("query", "key", "value")
"""Their layers, in the order of the rows in our `attention.projection`."""
NEEDED = ("item_embeddings.weight", "position_embeddings.weight")
_LAYER = (
    r"item_encoder\.layer\.\d+\."
    r"(attention\.(query|key|value|dense|LayerNorm)|intermediate\.(dense_1|dense_2|LayerNorm))"
)
_THEIRS = re.compile(
    rf"cluster_centers|({_LAYER}|item_embeddings|position_embeddings|LayerNorm)\.(weight|bias)"
)


def load_released(path: Path) -> dict[str, Tensor]:
    """Read a published state dictionary under our names; no code from the file is run.

    Raises:
        InputError: The file is missing or not a state dictionary of this model family.
    """
    return from_released(path, read_weights(path))


def from_released(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the authors' tensors, weights or gradients, and join query, key and value.

    Args:
        path: The file that holds them, for messages.
        tensors: By the authors' names.

    Raises:
        InputError: A name that neither repository has, query, key and value that do not fit, or
            no embeddings, which every model of this family has.
    """
    for name in NEEDED:
        if name not in tensors or tensors[name].ndim != 2:
            raise InputError(f"{path}: not a state dictionary with the matrix '{name}'")
    ours: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if not _THEIRS.fullmatch(name):
            raise InputError(f"{path}: unknown tensor {shown(name)}")
        pieces = [tensor]
        if ".attention.query." in name:
            parts = [tensors.get(name.replace("query", part)) for part in PARTS]
            pieces = [part for part in parts if part is not None and part.shape == tensor.shape]
            if len(pieces) < len(PARTS) or not tensor.ndim:
                raise InputError(f"{path}: {shown(name)} needs a key and a value of the same shape")
        elif ".attention.key." in name or ".attention.value." in name:
            continue  # comes with its query
        renamed = name.replace(".query.", ".projection.")
        for theirs, our in NAMES.items():
            renamed = renamed.replace(theirs, our)
        ours[renamed] = torch.cat(pieces) if len(pieces) > 1 else tensor
    return ours


def to_released(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give our tensors the authors' names; the inverse of `from_released`."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        for theirs, ours in NAMES.items():
            name = name.replace(ours, theirs)
        if ".attention.projection." in name:
            for part, rows in zip(PARTS, tensor.chunk(3), strict=True):
                renamed[name.replace(".projection.", f".{part}.")] = rows
        else:
            renamed[name] = tensor
    return renamed
