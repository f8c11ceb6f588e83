"""Memory: what attention takes of the host's, looked at before, and what to do when it runs out.

Attention's grows with the square of the window, and the system kills a process that uses more than
there is.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from elcrec.data.histories import InteractionData
from elcrec.models.encoder import Attention, Block, EncoderSettings, TransformerEncoder
from elcrec.runs.settings import RunSettings
from elcrec.usage import reserve


def check_window(parameters: Any) -> None:
    """Look whether a model with a shared encoder can be built.

    Raises:
        MemoryError: The table of which positions see which does not fit.
    """
    if isinstance(parameters, EncoderSettings):
        longest = parameters.max_length
        reserve(2 * longest**2, f"the mask of {longest:,} positions")


def watch(model: nn.Module) -> None:
    """From now on a pass through an encoder of the model raises a MemoryError if it cannot fit.

    By hooks, as it decides no number. Native kernels know what they need.
    """
    for encoder in model.modules():
        if isinstance(encoder, TransformerEncoder):
            first, blocks = encoder.blocks[0], len(encoder.blocks)
            assert isinstance(first, Block)
            encoder.register_forward_pre_hook(partial(_look, first.attention, blocks))
            # The last position alone is asked for in the last block, past the encoder's hook.
            first.register_forward_pre_hook(partial(_look, first.attention, blocks - 1))


def _look(attention: Attention, blocks: int, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """At the input of so many blocks in which every position asks: (B, T) or (B, T, d)."""
    rows, length = inputs[0].shape[:2]
    if inputs[0].device.type != "cpu" or getattr(module, "kernels", None):
        return
    # Scores and weights of a block at a time. As measured, training keeps two more matrices of
    # every block, with dropout four, and takes another in the backward pass.
    each = 4 if attention.probability_dropout.p else 2
    kept = each * blocks + 3 if torch.is_grad_enabled() else 2
    needed = 4 * rows * length**2 * (1 + attention.heads * kept)
    reserve(needed, f"attention among {length:,} positions of {rows:,} windows")


def out_of_memory(settings: RunSettings, data: InteractionData, error: Exception) -> str:
    """What to do about it."""
    gpu = "GPU " if data.device.type == "cuda" else ""
    why = f" ({error})" if isinstance(error, MemoryError) and str(error) else ""
    longest = f"the longest history has {data.sequences.lengths.max():,} items"
    length = getattr(settings.parameters, "max_length", None)  # a user's own may have none
    window = f", or max_length (now {length}; {longest})" if length else ""
    return (
        f"out of {gpu}memory{why}: make training.batch_size smaller (now "
        f"{settings.training.batch_size}){window}, or run fewer trainings side by side"
    )
