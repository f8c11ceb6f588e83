"""Memory: a check in advance of what attention needs on the host, and what to do when it runs out.

Attention's memory grows with the square of the window, and the system kills a process that uses
more than there is.
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
    """Check that a model with the shared encoder can be built.

    Raises:
        MemoryError: The attention mask does not fit.
    """
    if isinstance(parameters, EncoderSettings):
        longest = parameters.max_length
        reserve(2 * longest**2, f"the mask of {longest:,} positions")


def watch(model: nn.Module) -> None:
    """Make passes through encoders of the model raise a MemoryError if they cannot fit.

    This is done by hooks, as it does not affect results. Native kernels check for themselves.
    """
    for encoder in model.modules():
        if isinstance(encoder, TransformerEncoder):
            first, blocks = encoder.blocks[0], len(encoder.blocks)
            assert isinstance(first, Block)
            encoder.register_forward_pre_hook(partial(_check_input, first.attention, blocks))
            # `last` bypasses the encoder's hook; its last block has one query per row only.
            first.register_forward_pre_hook(partial(_check_input, first.attention, blocks - 1))


def _check_input(
    attention: Attention, blocks: int, module: nn.Module, inputs: tuple[Tensor, ...]
) -> None:
    """Check the input, (B, T) or (B, T, d), of `blocks` blocks where every position is a query."""
    rows, length = inputs[0].shape[:2]
    if inputs[0].device.type != "cpu" or getattr(module, "kernels", None):
        return
    # Scores and weights of a block at a time. As measured, training keeps two more matrices of
    # every block, with dropout four, and takes another in the backward pass.
    matrices_per_block = 4 if attention.probability_dropout.p else 2
    matrices = matrices_per_block * blocks + 3 if torch.is_grad_enabled() else 2
    needed = 4 * rows * length**2 * (1 + attention.heads * matrices)
    reserve(needed, f"attention among {length:,} positions of {rows:,} windows")


def out_of_memory(settings: RunSettings, data: InteractionData, error: Exception) -> str:
    """What to do when a training runs out of memory, as a message."""
    gpu = "GPU " if data.device.type == "cuda" else ""
    reason = f" ({error})" if isinstance(error, MemoryError) and str(error) else ""
    longest = f"the longest history has {data.sequences.lengths.max():,} items"
    length = getattr(settings.parameters, "max_length", None)  # a user's own may have none
    window = f", or max_length (now {length}; {longest})" if length else ""
    return (
        f"out of {gpu}memory{reason}: make training.batch_size smaller (now "
        f"{settings.training.batch_size}){window}, or run fewer trainings side by side"
    )
