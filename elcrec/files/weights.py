"""Files of weights: written as safetensors, and read without running code from them."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from elcrec.errors import InputError, shown
from elcrec.files.atomic import replaced

WEIGHTS = "weights.safetensors"
"""File of a run's weights in its folder."""


def weights_file(folder: Path) -> Path:
    """The weights of a run; up to version 0.1 runs were written with `weights.pt`."""
    legacy = folder / "weights.pt"
    return legacy if legacy.exists() and not (folder / WEIGHTS).exists() else folder / WEIGHTS


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write a state dictionary as safetensors, atomically.

    Raises:
        WriteError: The disk is full, or the place cannot be written to.
    """
    # As bytes: on a full disk a file raises OSError, but safetensors an error of its own.
    content = safetensors.torch.save({k: v.cpu().contiguous() for k, v in weights.items()})
    with replaced(path) as temporary:
        temporary.write_bytes(content)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dictionary onto the CPU, from a `.safetensors` file or one of `torch.save`.

    The caller checks names and shapes.

    Raises:
        InputError: The file is missing, damaged, would run code, or holds something other than
            named tensors of finite numbers.
    """
    try:
        content: object
        if path.suffix == ".safetensors":
            content = safetensors.torch.load(path.read_bytes())
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    # On damaged bytes torch and pickle raise almost anything, e.g. KeyError, IndexError, TypeError.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"{path}: cannot read weights ({reason})") from None
    if not isinstance(content, dict) or not content:
        raise InputError(f"{path}: holds no state dictionary")
    for name, tensor in content.items():
        if not isinstance(name, str) or not _is_plain(tensor):
            raise InputError(f"{path}: {shown(name)} is not a tensor of finite numbers")
    return dict(content)


def fit(model: torch.nn.Module, weights: Mapping[str, Tensor], refusal: str) -> None:
    """Put weights into a model.

    Args:
        model: The model.
        weights: A state dictionary.
        refusal: What the message begins with.

    Raises:
        InputError: They are those of another model.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"{refusal}: {str(error).splitlines()[-1].strip()[:200]}") from None


def _is_plain(tensor: object) -> bool:
    """Whether it is an ordinary tensor of finite numbers, not sparse, quantized or complex."""
    if not isinstance(tensor, Tensor) or tensor.layout is not torch.strided:
        return False
    if tensor.is_quantized or tensor.is_complex() or tensor.is_meta:
        return False
    if tensor.nbytes > tensor.untyped_storage().nbytes():  # claims to be larger than the file
        return False
    return bool(tensor.double().isfinite().all())  # float8 has no test of its own
