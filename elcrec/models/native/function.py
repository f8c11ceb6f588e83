"""The compiled encoder as a differentiable function."""

import ctypes
import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from elcrec.models.encoder import Block, TransformerEncoder
from elcrec.models.native.build import LANES, library
from elcrec.usage import reserve

LONGEST = 4096


class Pass(ctypes.Structure):
    """One pass over a batch; encoder.cpp defines the same structure."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "length", "heads", "blocks")),
        *((name, ctypes.c_int64) for name in ("causal", "items", "threads")),
        *((name, ctypes.c_int64) for name in ("hidden_kept", "attention_kept")),
        ("seed", ctypes.c_uint64),
        ("sequences", ctypes.c_void_p),
        ("parameters", ctypes.POINTER(ctypes.c_void_p)),
        ("saved", ctypes.c_void_p),
    ]


def supports(encoder: TransformerEncoder, sequences: Tensor) -> bool:
    """Whether the kernels can encode `sequences` (B, T) now.

    They cover training only, in float32 on the CPU, at widths divisible by 16.
    """
    weight = encoder.items.weight
    return (
        encoder.training
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and weight.device.type == sequences.device.type == "cpu"
        and weight.dtype == torch.float32
        and weight.shape[1] % LANES == 0
        and 0 < sequences.shape[1] <= min(encoder.max_length, LONGEST)
        and len(sequences) > 0
    )


def encode_if_supported(encoder: TransformerEncoder, sequences: Tensor) -> Tensor | None:
    """The result of `encode`, or None where the kernels do not apply."""
    return encode(encoder, sequences) if supports(encoder, sequences) else None


def encode(encoder: TransformerEncoder, sequences: Tensor) -> Tensor:
    """Like `encoder(sequences)` in training mode: (B, T) item ids to (B, T, d).

    The dropout masks come from a separate generator, seeded by one draw from PyTorch's.

    Raises:
        IndexError: An id is outside the item table.
        InputError: No C++ compiler (first call only).
    """
    low, high = (int(x) for x in sequences.aminmax())
    if low < 0 or high >= encoder.items.num_embeddings:
        raise IndexError(f"item ids must be 0 to {encoder.items.num_embeddings - 1}")
    seed = int(torch.empty((), dtype=torch.int64).random_())
    result: Tensor = _Encode.apply(encoder, seed, sequences, *parameters(encoder))
    return result


def parameters(encoder: TransformerEncoder) -> list[Tensor]:
    """The encoder's parameters in the order that the C++ code expects."""
    result: list[Tensor] = [encoder.items.weight, encoder.positions.weight]
    result += [encoder.norm.weight, encoder.norm.bias]
    for block in encoder.blocks:
        assert isinstance(block, Block)
        for part in (block.attention, block.feed_forward):
            result += part.parameters()
    return result


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, encoder: TransformerEncoder, seed: int, sequences: Tensor, *weights: Tensor
    ) -> Tensor:
        sequences = sequences.long().contiguous()
        ctx.call = _pass(encoder, seed, sequences)
        ctx.first_position = encoder.max_length - sequences.shape[1]
        ctx.save_for_backward(sequences, *weights)
        _point_at(ctx.call, weights, ctx.first_position)
        width = encoder.items.embedding_dim
        ctx.kernels = library(width)
        floats = ctx.kernels.elcrec_saved_floats(ctypes.byref(ctx.call))
        rows, length = sequences.shape
        reserve(4 * floats, f"attention among {length:,} positions of {rows:,} windows")
        ctx.saved = workspace.take(floats)
        ctx.call.saved = ctx.saved.data_ptr()
        out = torch.empty(*sequences.shape, width, dtype=torch.float32)
        ctx.kernels.elcrec_forward(ctypes.byref(ctx.call), ctypes.c_void_p(out.data_ptr()))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.saved is None:
            raise RuntimeError("the native encoder keeps nothing for a second backward pass")
        _, *weights = ctx.saved_tensors
        _point_at(ctx.call, weights, ctx.first_position)
        call = ctypes.byref(ctx.call)
        size = ctx.kernels.elcrec_gradient_floats(call)
        parts = workspace.take(ctx.kernels.elcrec_parts(call) * size)
        flat, items = weights[0].new_empty(size), torch.empty_like(weights[0])
        gradient = gradient.contiguous()
        pointers = (ctypes.c_void_p(x.data_ptr()) for x in (gradient, parts, flat, items))
        ctx.kernels.elcrec_backward(call, *pointers)
        workspace.give_back(parts)
        workspace.give_back(ctx.saved)
        ctx.saved = None
        return (None, None, None, items, *_split(flat, weights, ctx.first_position))


def _pass(encoder: TransformerEncoder, seed: int, sequences: Tensor) -> Pass:
    block = encoder.blocks[0]
    assert isinstance(block, Block)
    return Pass(
        batch=sequences.shape[0],
        length=sequences.shape[1],
        heads=block.attention.heads,
        blocks=len(encoder.blocks),
        causal=encoder.causal,
        items=len(encoder.items.weight),
        threads=torch.get_num_threads(),
        hidden_kept=_kept(encoder.dropout.p),
        attention_kept=_kept(block.attention.probability_dropout.p),
        seed=seed,
        sequences=sequences.data_ptr(),
    )


def _kept(p: float) -> int:
    """Of 65,536 equally likely outcomes, how many keep an element; rounded as in `keep_mask`."""
    return 65536 - round(p * 65536)


def _point_at(call: Pass, weights: Sequence[Tensor], first_position: int) -> None:
    items, positions, *others = weights
    used = (items, positions[first_position:], *others)
    assert all(w.is_contiguous() and w.dtype == torch.float32 for w in used)
    call.parameters = (ctypes.c_void_p * len(used))(*(w.data_ptr() for w in used))


def _split(flat: Tensor, weights: Sequence[Tensor], first_position: int) -> list[Tensor]:
    """Gradients of all parameters but the item table, which `flat` holds one after the other."""
    positions, *others = weights[1:]
    used = positions[first_position:]
    first, *rest = flat.split([used.numel(), *(w.numel() for w in others)])
    table = torch.zeros_like(positions)
    table[first_position:] = first.view_as(used)
    return [table, *(g.view_as(w) for g, w in zip(rest, others, strict=True))]


class Workspace:
    """Memory reused from pass to pass: fresh pages would cost more time than the arithmetic."""

    def __init__(self) -> None:
        self._free: list[Tensor] = []
        self._lock = threading.Lock()

    def take(self, floats: int) -> Tensor:
        """A float32 tensor of at least this many elements with arbitrary content."""
        with self._lock:
            self._free.sort(key=Tensor.numel)
            for i, memory in enumerate(self._free):
                if memory.numel() >= floats:
                    return self._free.pop(i)
            if self._free:  # drop the largest: what is kept stays near the peak in use
                self._free.pop()
        return torch.empty(floats, dtype=torch.float32)

    def give_back(self, memory: Tensor) -> None:
        """Offer the memory to later passes; the caller must not use it any more."""
        with self._lock:
            self._free.append(memory)


workspace = Workspace()
