"""What a CUDA graph asks of a training step, checked without a GPU.

`on_a_device_without_data` moves a model and all its tensors to PyTorch's `meta` device, which takes
the code paths of a GPU and has shapes but no values: whatever would read a value on the host, or
give a shape that depends on one, fails there. `NoHostCopies` adds what `meta` lets through.

`Recorder` is a graph of CPU operators: what a step launches is recorded once and replayed on the
same tensors, as a CUDA graph does, so that tensors and numbers that went stale show in the results.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from elcrec.models.interface import Context, SequenceModel

aten = torch.ops.aten
READS_A_VALUE = {
    aten._local_scalar_dense.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten._unique2.default,
    aten.bincount.default,
    aten.equal.default,
    aten.is_nonzero.default,
    aten.repeat_interleave.Tensor,
}
INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}
CHANGES_THE_FORM = {aten.transpose_.default, aten.t_.default, aten.squeeze_.dim}
MADE_ON_THE_HOST = {torch.tensor, torch.as_tensor, torch.asarray}
FOREIGN = ("torch", "numpy", "faiss", "builtins", "pathlib", "functools")


class CaptureError(RuntimeError):
    """What a CUDA graph cannot hold."""


# --- all tensors that an object can reach -----------------------------------------------------


def tensors(root: Any) -> dict[str, Tensor]:
    """All tensors in the attributes of an object and of the objects that it holds, by path."""
    return {path: value for path, value, _ in _walk(root, type(root).__name__, set())}


def _walk(
    value: Any, path: str, seen: set[int]
) -> Iterator[tuple[str, Any, Callable[[Any], None] | None]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    for key, child, put in _children(value):
        name = f"{path}.{key}"
        if isinstance(child, Tensor):
            yield name, child, put
        else:
            yield from _walk(child, name, seen)


def _children(value: Any) -> list[tuple[str, Any, Callable[[Any], None] | None]]:
    """Name, value and how to replace it, of all that an object holds."""
    if isinstance(value, dict):
        return [(str(k), v, lambda new, k=k: value.__setitem__(k, new)) for k, v in value.items()]
    if isinstance(value, list):
        return [
            (str(i), v, lambda new, i=i: value.__setitem__(i, new)) for i, v in enumerate(value)
        ]
    if isinstance(value, tuple):
        return [(str(i), v, None) for i, v in enumerate(value)]
    if not isinstance(value, nn.Module) and type(value).__module__.split(".")[0] in FOREIGN:
        return []
    held = dict(getattr(value, "__dict__", {}))
    return [(k, v, lambda new, k=k: value.__dict__.__setitem__(k, new)) for k, v in held.items()]


# --- a device without data --------------------------------------------------------------------


def on_a_device_without_data(model: SequenceModel, context: Context) -> Context:
    """Move the model and all that it and the context hold to `meta`, in place."""
    model.to("meta")
    for root in (context.data, model):
        for path, value, put in _walk(root, type(root).__name__, set()):
            if value.device.type == "cpu":
                assert put is not None, f"{path} is a tensor in a tuple, which cannot be moved"
                put(value.to("meta"))
        _rename_devices(root, set())
    return dataclasses.replace(context)


def _rename_devices(value: Any, seen: set[int]) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    for _, child, put in _children(value):
        if isinstance(child, torch.device) and put is not None:
            put(torch.device("meta"))
        else:
            _rename_devices(child, seen)


class NoHostCopies(TorchDispatchMode):
    """Refuses operators that wait for the device or copy from the host: all in a step is on `meta`.

    Single numbers on the host are allowed: they are handed to a kernel as they are.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if any(t.device.type == "meta" for t in given):
            refuse_data_dependence(func, args)
        result = func(*args, **(kwargs or {}))
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        on_device = any(t.device.type == "meta" for t in (*given, *made))
        copies = func in {aten._to_copy.default, aten.copy_.default}
        for tensor in given:
            if on_device and tensor.device.type == "cpu" and (tensor.dim() or copies):
                raise CaptureError(f"{func} copies a tensor from the host")
        return result


class NothingMadeOnTheHost(TorchFunctionMode):
    """Refuses tensors made of Python lists or arrays, which are copied while the host waits."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in (Tensor.__getitem__, Tensor.__setitem__):
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            if any(isinstance(i, list | np.ndarray) for i in index):
                raise CaptureError("an index that is a list or an array is copied from the host")
        result = func(*args, **(kwargs or {}))
        if func in MADE_ON_THE_HOST and result.device.type == "meta":
            raise CaptureError(f"{func.__name__} copies from the host")
        return result


def refuse_data_dependence(func: Any, args: tuple[Any, ...]) -> None:
    """Refuse operators that read a value on the host or whose shape depends on one.

    Raises:
        CaptureError: It is one of them.
    """
    if func in READS_A_VALUE:
        raise CaptureError(f"{func} depends on values")
    if func in INDEXING:
        masks = [i for i in args[1] if i is not None and i.dtype in (torch.bool, torch.uint8)]
        fills = func is not aten.index.Tensor and args[2].dim() == 0
        if masks and not fills:
            raise CaptureError(f"{func} with a mask: its shape depends on values")


def check_step(model: SequenceModel, context: Context, samples: int) -> None:
    """Make a batch, its loss and the gradients where nothing can be read.

    Raises:
        RuntimeError: Something in the step would wait for the device, or copy from the host.
    """
    context = on_a_device_without_data(model, context)
    with NothingMadeOnTheHost(), NoHostCopies():
        numbers = torch.arange(samples, device="meta")
        terms = model.loss(model.batch(numbers, context))
        terms["total"].backward()
    assert all(p.grad is None or p.grad.device.type == "meta" for p in model.parameters())


# --- a graph of CPU operators -----------------------------------------------------------------


class Recorder(TorchDispatchMode):
    """The backend of a graphed step that records CPU operators; recording executes them once."""

    def __init__(self) -> None:
        super().__init__()
        self.captures = self.replays = 0
        self._launched: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []

    def warm_up(self) -> AbstractContextManager[None]:
        return nullcontext()

    def capture(self, run: Callable[[], None]) -> Callable[[], None]:
        self._launched = launched = []
        with self:
            run()
        self.captures += 1
        first = True

        def replay() -> None:
            nonlocal first
            self.replays += 1
            if not first:
                _execute(launched)
            first = False

        return replay

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        refuse_data_dependence(func, args)
        kwargs = kwargs or {}
        now = tree_map_only(Tensor, Tensor.detach, (args, kwargs))
        result = func(*args, **kwargs)
        self._launched.append((func, *now, tree_map_only(Tensor, Tensor.detach, result)))
        return result


@torch.no_grad()
def _execute(launched: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]]) -> None:
    """Run recorded operators again and put the results where they lay."""
    for func, args, kwargs, result in launched:
        aliases = [r.alias_info for r in func._schema.returns]
        view = aliases and all(a is not None and not a.is_write for a in aliases)
        if view or func in CHANGES_THE_FORM:
            continue  # of what has been refilled
        again = func(*args, **kwargs)
        for old, new in zip(tree_leaves(result), tree_leaves(again), strict=True):
            if isinstance(old, Tensor):
                old.copy_(new)
