"""Results of published weights: intents, and ranks compared with those of a fixture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from elcrec.data.histories import InteractionData
from elcrec.data.sequences import SPLITS
from elcrec.data.sources import Dataset
from elcrec.errors import InputError
from elcrec.files.npzfile import read_arrays, whole_numbers
from elcrec.models.interface import SequenceModel
from elcrec.training.intents import IntentRecorder, diagnose


def learned_intents(model: SequenceModel, data: InteractionData) -> dict[str, float] | None:
    """Diagnostics as in a history row, but of weights; None without learned intents.

    `count` centers, of which `in_use` are nearest to one of the `users` that every run examines,
    and the mean cosines of `elcrec.training.intents.diagnose`. Centers that k-means finds anew in
    every epoch, such as ICLRec's, are not in published weights.
    """
    users = IntentRecorder(model, data).users
    intents = model.intents(data, data.tensor(users))
    if intents is None or not intents.learned:
        return None
    numbers = diagnose(intents)
    return {
        "count": len(intents.centers),
        "users": len(users),
        "in_use": int(numbers["intents_in_use"]),
        "center_cosine": numbers["center_cosine"],
        "user_cosine": numbers["user_cosine"],
    }


def compare_ranks(path: Path, ranks: dict[str, np.ndarray], protocol: str) -> str:
    """Report how many users' ranks differ from a fixture's, and by how much at most."""
    split = next((s for s in SPLITS if s in path.stem), None)
    if split is None:
        raise InputError(f"{path}: its name must contain 'valid' or 'test'")
    kind = "released" if protocol == "paper" else protocol
    users = len(ranks[split])
    allowed = f"needed: one integer rank of at least 0 for each of the {users} users"
    stored = read_arrays(path, [kind])[kind]
    expected = whole_numbers(f"{path}: {kind}", stored, users, allowed)
    difference = np.abs(ranks[split] - expected)
    return (
        f"{path.name}: {int((difference > 0).sum())} of {len(expected)} ranks differ, "
        f"by at most {int(difference.max())}"
    )


def by_name(datasets: Mapping[str, Dataset], name: str) -> str:
    """Id of a data set given its id or its name, in any case."""
    for dataset, entry in datasets.items():
        if name.lower() in (dataset.lower(), (entry.name or "").lower()):
            return dataset
    raise InputError(f"unknown data set '{name}'; known: {', '.join(sorted(datasets))}")
