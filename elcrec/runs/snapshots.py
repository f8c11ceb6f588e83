"""`intents.npz` of a run: users and intents at some epochs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elcrec.errors import InputError
from elcrec.files.npzfile import is_finite, is_whole, read_arrays, widened
from elcrec.runs.record import INTENTS, RunRecord

DIMENSIONS = {
    "epochs": ("snapshots",),
    "users": ("sampled users",),
    "centers": ("snapshots", "intents", "width"),
    "embeddings": ("snapshots", "sampled users", "width"),
    "assigned": ("snapshots", "sampled users"),
    "all_assigned": ("all users",),
}
"""Arrays of `intents.npz` and what each of their dimensions counts."""
BELOW = {
    "epochs": "trained epochs plus 1",
    "users": "all users",
    "assigned": "intents",
    "all_assigned": "intents",
}
"""Count that the numbers in an array of whole numbers must be less than."""


@dataclass(frozen=True)
class Snapshots:
    """`intents.npz` of a run: users and intents at some epochs."""

    epochs: NDArray[np.integer]
    """(S,) epochs; 0 is before training, the last one is the tested one."""
    users: NDArray[np.integer]
    """(n,) numbers of the sampled users."""
    embeddings: NDArray[np.floating]
    """(S, n, d) vectors of the sampled users."""
    assigned: NDArray[np.integer]
    """(S, n) nearest intent of each."""
    all_assigned: NDArray[np.integer]
    """(users,) intent of every user, with the tested weights."""
    intents: int
    """Number K of centers."""


def snapshots(record: RunRecord) -> Snapshots | None:
    """`intents.npz` of a run; None if it has none.

    Raises:
        InputError: An array is missing or has another shape than the others.
    """
    path = record.folder / INTENTS
    if not path.exists():
        return None
    arrays = read_arrays(path, DIMENSIONS)
    sizes: dict[str, int] = {"all users": record.users}
    for name, dimensions in DIMENSIONS.items():
        array = arrays[name]
        _check_shape(f"{path}: {name}", array.shape, dimensions, sizes)
        if not is_finite(array):
            raise InputError(f"{path}: {name} must be finite numbers")
        bound = BELOW.get(name)
        if bound and not is_whole(array, sizes.get(bound, record.epochs + 1) - 1):
            raise InputError(f"{path}: {name} must be integers from 0, below the number of {bound}")
    return Snapshots(
        epochs=widened(arrays["epochs"]),
        users=widened(arrays["users"]),
        embeddings=arrays["embeddings"].astype(np.float32),
        assigned=widened(arrays["assigned"]),
        all_assigned=widened(arrays["all_assigned"]),
        intents=sizes["intents"],
    )


def _check_shape(
    where: str, shape: tuple[int, ...], dimensions: tuple[str, ...], sizes: dict[str, int]
) -> None:
    """Compare a shape with the sizes known so far, and add to them."""
    matches = len(shape) == len(dimensions) and all(shape)
    if matches:
        matches = all(sizes.setdefault(d, n) == n for d, n in zip(dimensions, shape, strict=True))
    if not matches:
        expected = ", ".join(f"{d} ({sizes[d]})" if d in sizes else d for d in dimensions)
        raise InputError(f"{where} has shape {shape}, needed: {expected}")
