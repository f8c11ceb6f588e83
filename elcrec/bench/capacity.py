"""What one GPU can hold: reckoned from the model's own sizes, not measured.

Memory = parameters x `COPIES` x 4 bytes + users x bytes of a user + the most of: activations of a
step, scores of an evaluation, vectors of all users that are clustered before training. Parameters
are counted by building the model without memory; a user's bytes and the activations are sums over
the tensors of a real run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from elcrec.evaluation.tiles import SCORE_MEMORY
from elcrec.runs.settings import RunSettings

COPIES = (
    "its weights",
    "their gradient",
    "Adam's first moment",
    "Adam's second moment",
    "the best epoch's weights",
    "the ones before them, while they are replaced",
)
"""What a training keeps of every parameter, each a float32."""

TRAINED_COPIES = 4
"""The first so many are there in every step."""

FLOAT = 4
GIB = 2**30
GPUS = (24, 80, 141)
"""Memory of common GPUs, GiB."""
USED = 0.9
"""Part of a GPU's memory reckoned with: the rest is for CUDA itself and for fragmentation."""


@dataclass(frozen=True)
class Parameters:
    """Number of parameters: fixed + per_user * users + per_item * items."""

    fixed: float
    per_user: float
    per_item: float

    def count(self, users: float, items: float) -> float:
        """Parameters of a model for so many users and items."""
        return self.fixed + self.per_user * users + self.per_item * items


def count_parameters(settings: RunSettings, users: int = 1000, items: int = 1000) -> Parameters:
    """Count by building the model three times, without memory (PyTorch's device `meta`)."""

    def count(u: int, i: int) -> int:
        with torch.device("meta"):
            model = settings.build(u, i + 2)
        return sum(p.numel() for p in model.parameters())

    base = count(users, items)
    per_user = float(count(users + 1, items) - base)
    per_item = float(count(users, items + 1) - base)
    return Parameters(base - per_user * users - per_item * items, per_user, per_item)


def training_bytes(parameters: Parameters, users: float, items: float) -> float:
    """Bytes of weights, gradient and Adam's moments: the least that a training step needs."""
    return parameters.count(users, items) * TRAINED_COPIES * FLOAT


def clustering_bytes(settings: RunSettings) -> int:
    """Bytes of a user while all users are clustered: its vector; 0 for a model without intents."""
    p = settings.parameters
    return FLOAT * int(p.dimension) if hasattr(p, "intents") else 0


def reckon(
    parameters: Parameters, sizes: dict[str, Any], users: int, items: int, clustering: int = 0
) -> dict[str, Any]:
    """What GPUs of common sizes hold.

    Args:
        parameters: Of the model.
        sizes: `bytes_per_user` and `activation_bytes` of a real run.
        users: Users that the numbers of items are given for.
        items: Items that the numbers of users are given for.
        clustering: As `clustering_bytes` gives it.

    Returns:
        Bytes of one item, one user, activations and scores, and of a user in the clustering;
        `gpus`: for every size in GiB the most items with `users` users, and the most users with
        `items` items.
    """
    scores = SCORE_MEMORY["cuda"]
    step = max(sizes["activation_bytes"], scores)
    each = len(COPIES) * FLOAT
    per_item = parameters.per_item * each
    per_user = parameters.per_user * each + sizes["bytes_per_user"]
    gpus = {}
    for gib in GPUS:
        free = USED * gib * GIB - parameters.fixed * each
        left = free - per_user * users - max(step, clustering * users)
        training = _most(free - step - per_item * items, per_user)
        before = _most(free - per_item * items, per_user + clustering)
        gpus[str(gib)] = {
            "items": _most(left, per_item),
            "users": min((most for most in (training, before) if most is not None), default=None),
        }
    return {
        "bytes_per_item": per_item,
        "bytes_per_user": per_user,
        "activation_bytes": sizes["activation_bytes"],
        "score_bytes": scores,
        "clustering_bytes": clustering,
        "users": users,
        "items": items,
        "gpus": gpus,
    }


def paragraph(name: str, reckoned: dict[str, Any]) -> str:
    """The same in words."""
    held = [
        f"{gib} GiB: {_millions(most['items'])} items or {_millions(most['users'])} users"
        for gib, most in reckoned["gpus"].items()
    ]
    return (
        f"What one GPU can hold (reckoned): an item of {name} takes "
        f"{reckoned['bytes_per_item']:,.0f} bytes ({len(COPIES)} float32 a parameter: "
        f"{', '.join(COPIES)}), a user {reckoned['bytes_per_user']:,.0f} bytes (history, "
        "own items for the negatives, validation; parameters of their own, if any). A step keeps "
        f"{reckoned['activation_bytes'] / 1e6:,.0f} MB of activations for its backward pass "
        "whatever their number, an evaluation holds at most "
        f"{reckoned['score_bytes'] / 1e6:,.0f} MB of scores{_clustering(reckoned)}. "
        f"So, {1 - USED:.0%} left free, a GPU holds, with {reckoned['users']:,} users or "
        f"{reckoned['items']:,} items: {'; '.join(held)}."
    )


def _clustering(reckoned: dict[str, Any]) -> str:
    each = reckoned["clustering_bytes"]
    return f", and the clustering before training {each:,} bytes a user" if each else ""


def _most(free: float, each: float) -> int | None:
    """How many fit; None: as many as one likes, they take nothing."""
    return int(max(0.0, free) / each) if each else None


def _millions(count: int | None) -> str:
    return "any number of" if count is None else f"{count / 1e6:,.1f} million"
