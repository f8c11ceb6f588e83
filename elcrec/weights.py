"""Files of weights, read without running code from them."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from elcrec.errors import InputError


def read_weights(path: Path, problem: str) -> object:
    """Read what `torch.save` wrote, onto the CPU; what it has to hold is for the caller to check.

    Args:
        path: The file.
        problem: What the message says of a file that cannot be read, before the reason.

    Raises:
        InputError: The file is missing or cannot be read.
    """
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: {problem} ({reason})") from None
    return content
