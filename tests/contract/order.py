"""Finds gradients that threads add up in any order, so that no two trainings are alike."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

ADDS = {"aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}


class OrderOfSums(TorchDispatchMode):
    """Collects what adds several values to one place by `index_put`, as `table[index]` does.

    On the CPU it adds them atomically once there are enough of them. Small tests do not reach that,
    so this looks at what is called and not at results.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unordered: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = function._schema.name
        if name in ADDS and len(args) > 3 and args[3] and _repeated(args[1]):
            self.unordered.append(f"{name} {tuple(args[0].shape)}")
        return function(*args, **(kwargs or {}))


def _repeated(indices: list[Tensor | None]) -> bool:
    given = [index for index in indices if index is not None]
    if given[0].dtype == torch.bool:
        return False  # a mask takes each place once
    places = torch.stack([index.flatten() for index in torch.broadcast_tensors(*given)])
    return len(torch.unique(places, dim=1).T) < places.shape[1]
