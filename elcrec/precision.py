"""How exactly a GPU multiplies: a setting that is named, recorded and off by default.

- `float32`: full single precision everywhere, cuDNN's recurrent layers and convolutions included
  (which PyTorch by itself lets run in TF32).
- `tf32`: matrix products, recurrent layers and convolutions on a GPU round their factors to 10 bits
  of mantissa; nothing changes on a CPU.
- `bf16`: moreover, the products of a training step are in bfloat16 (PyTorch's autocast; sums,
  softmax, losses, weights and Adam stay in float32). Evaluation is not affected.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from elcrec.names import Precision


def set_precision(precision: Precision) -> None:
    """Set PyTorch's switches for the whole process."""
    rounded = precision != "float32"
    torch.backends.cuda.matmul.allow_tf32 = rounded
    torch.backends.cudnn.allow_tf32 = rounded


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Surround the loss of a training step."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
