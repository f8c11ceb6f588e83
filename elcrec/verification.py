"""`elcrec verify`: this project's code against figures and weights of the authors' code."""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from elcrec.arrays import read_arrays
from elcrec.atomic import write_text
from elcrec.config import load_config
from elcrec.data.fetch import fetch as fetch_file
from elcrec.data.sources import Dataset, Source
from elcrec.dataset import InteractionData
from elcrec.device import choose
from elcrec.errors import InputError
from elcrec.evaluation import Evaluator
from elcrec.intents import IntentRecorder, diagnose
from elcrec.interface import SequenceModel
from elcrec.measure import device_name
from elcrec.metrics import summarise
from elcrec.model_file import MODEL_FOLDER, read_model_file
from elcrec.names import SPLITS
from elcrec.provenance import commit
from elcrec.registry import load_module, resolve
from elcrec.released import load_released
from elcrec.run import load_data

if TYPE_CHECKING:
    from elcrec.golden import Deviation


def golden(arguments: argparse.Namespace) -> int:
    """Print the largest relative deviation of each quantity; 1 when one is out of tolerance."""
    for model in ("iclrec", "elcrec"):  # a package that is missing is said as a training says it
        file = MODEL_FOLDER / f"{model}.yaml"
        load_module(read_model_file(file)["module"], file)
    from elcrec.golden import verify

    failed = False
    for path in arguments.files:
        deviations = verify(path, arguments.weights)
        print(f"{path}: {len(deviations)} comparisons")
        worst: dict[str, Deviation] = {}
        count: defaultdict[str, int] = defaultdict(int)
        for deviation in deviations:
            kind = deviation.quantity.split("/")[0]
            count[kind] += 1
            if kind not in worst or not deviation.relative <= worst[kind].relative:
                worst[kind] = deviation
        for kind, deviation in worst.items():
            verdict = "ok" if deviation.ok else f"FAILED ({deviation.step} {deviation.quantity})"
            print(
                f"  {kind:18s} {count[kind]:4d} compared, largest relative deviation "
                f"{deviation.relative:.1e} (allowed {deviation.tolerance:.0e})  {verdict}"
            )
        failed |= any(not d.ok for d in deviations)
    return int(failed)


def released(arguments: argparse.Namespace) -> None:
    """Print what published weights give on both splits; optionally compare every user's rank."""
    config = load_config(arguments.config)
    device = choose(arguments.device)
    weights = load_released(arguments.weights)
    model_id = arguments.model or ("elcrec" if "centers" in weights else "iclrec")
    dataset = by_name(config.datasets, arguments.dataset)
    data = load_data(config, dataset, device)
    settings = resolve(config, model_id, dataset)
    model = settings.build(data.n_users, data.item_size).to(device)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise InputError(
            f"{arguments.weights}: does not fit {settings.name} on {dataset}: {reason}"
        ) from None
    ranks: dict[str, np.ndarray] = {
        split: Evaluator(data, split, model.max_length, arguments.protocol).ranks(model)
        for split in SPLITS
    }
    metrics = {split: summarise(r) for split, r in ranks.items()}
    print(f"{settings.name}, {config.dataset_name(dataset)}, {arguments.weights.name}")
    for split, values in metrics.items():
        print(f"  {split:5s} " + "  ".join(f"{k} {v:.4f}" for k, v in values.items()))
    intents = learned_intents(model, data)
    if intents:
        print(
            f"  {intents['in_use']} of {intents['count']} centers are nearest to one of"
            f" {intents['users']} users; mean cosine of two centers"
            f" {intents['center_cosine']:.2f}, of two users {intents['user_cosine']:.2f}"
        )
    for path in arguments.ranks:
        print("  " + compare_ranks(path, ranks, arguments.protocol))
    if arguments.output:
        head, dirty = commit()
        record = {
            "model": model_id,
            "dataset": dataset,
            "file": arguments.weights.name,
            "protocol": arguments.protocol,
            "metrics": metrics,
            "intents": intents,
            "commit": head,
            "dirty": dirty,
            "device": device_name(device),
            "command": sys.argv,
        }
        write_text(arguments.output, json.dumps(record, indent=2) + "\n")


def learned_intents(model: SequenceModel, data: InteractionData) -> dict[str, float] | None:
    """What a history says of the intents after an epoch, of weights; None without learned ones.

    `count` centers, of which `in_use` are nearest to one of the `users` that every run looks at,
    and the mean cosines of `elcrec.intents.diagnose`. Centers that k-means makes anew at every
    epoch, such as ICLRec's, are not in published weights.
    """
    users = IntentRecorder(model, data).users
    found = model.intents(data, data.tensor(users))
    if found is None or not found.learned:
        return None
    numbers = diagnose(found)
    return {
        "count": len(found.centers),
        "users": len(users),
        "in_use": int(numbers["intents_in_use"]),
        "center_cosine": numbers["center_cosine"],
        "user_cosine": numbers["user_cosine"],
    }


def compare_ranks(path: Path, ranks: dict[str, np.ndarray], protocol: str) -> str:
    """Say how many users' ranks differ from a fixture's, and by how much at most."""
    split = next((s for s in SPLITS if s in path.stem), None)
    if split is None:
        raise InputError(f"{path}: its name must contain 'valid' or 'test'")
    kind = "released" if protocol == "paper" else "strict"
    expected = read_arrays(path, [kind])[kind]
    if expected.shape != ranks[split].shape or expected.dtype.kind not in "iu":
        raise InputError(
            f"{path}: {kind} is {expected.dtype} of shape {expected.shape}; needed: one integer "
            f"rank for each of the {len(ranks[split])} users"
        )
    if expected.min() < 0:
        raise InputError(f"{path}: {kind} must be ranks of at least 0, has {expected.min()}")
    difference = np.abs(ranks[split].astype(np.int64) - expected.astype(np.int64))
    return (
        f"{path.name}: {int((difference > 0).sum())} of {len(expected)} ranks differ, "
        f"at most by {int(difference.max())}"
    )


def fetch(arguments: argparse.Namespace) -> None:
    """Fetch one file of published weights, from the mirror or the authors' repository."""
    config = load_config(arguments.config)
    entry = next((e for e in config.released_weights if e["file"] == arguments.file), None)
    if entry is None:
        known = ", ".join(e["file"] for e in config.released_weights)
        raise InputError(f"--file {arguments.file}: not in released_weights; known: {known}")
    source = Source(
        format="weights", file=entry["file"], urls=tuple(entry["urls"]), sha256=entry.get("sha256")
    )
    wanted = Dataset(entry["file"], entry["file"], sha256=None, counts=None, sources=(source,))
    fetched = fetch_file(wanted, arguments.output)
    print(fetched.path)


def by_name(datasets: dict[str, dict[str, Any]], name: str) -> str:
    """Id of a data set given its id or its name, in any case."""
    for dataset, entry in datasets.items():
        if name.lower() in (dataset.lower(), str(entry.get("name", "")).lower()):
            return dataset
    raise InputError(f"unknown data set '{name}'; known: {', '.join(sorted(datasets))}")
