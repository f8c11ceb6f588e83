"""Precision of products in training steps: a named setting, recorded, by default `float32`.

- `float32`: full single precision, cuDNN's recurrent layers and convolutions included (which
  PyTorch runs in TF32 by default).
- `tf32`: on a GPU, matrix products, recurrent layers and convolutions of a training step round
  their factors to 10 bits of mantissa; nothing changes on a CPU.
- `bf16`: as `tf32`, and the loss is computed under PyTorch's autocast in bfloat16. Weights,
  gradients and Adam stay in float32. PyTorch decides which sums and losses do, too; more of them
  on a GPU than on a CPU.

Evaluation and clustering are always in float32.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

import torch

Precision = Literal["float32", "tf32", "bf16"]
"""Precision of the products in a training step: see `elcrec.training.precision`."""


def full_precision() -> None:
    """Keep this process from rounding to TF32 until a training step requests it."""
    _allow_tf32(False)


@contextmanager
def multiplying(precision: Precision) -> Iterator[None]:
    """Surround a training step, forward and backward."""
    _allow_tf32(precision != "float32")
    try:
        yield
    finally:
        _allow_tf32(False)


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Surround the loss of a training step."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def _allow_tf32(allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
