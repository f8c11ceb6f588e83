"""`elcrec verify`: compare this project's code with numbers and weights of the authors' code."""

from __future__ import annotations

import argparse
from collections import defaultdict
from math import isnan
from typing import TYPE_CHECKING, Any

from elcrec.cli.options import add_command, add_device, add_output, file_path, writing_to
from elcrec.data.repeats import PROTOCOLS
from elcrec.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from elcrec.config.config import Config
    from elcrec.verification.golden import Deviation


def run_golden(arguments: argparse.Namespace) -> int:
    """Print the largest relative deviation of each quantity; 1 if one exceeds its tolerance."""
    from elcrec.verification.golden import verify

    failed = False
    for path in arguments.files:
        deviations = verify(path, arguments.weights)
        print(f"{path}: {len(deviations)} comparisons")
        kinds: defaultdict[str, list[Deviation]] = defaultdict(list)
        for deviation in deviations:
            kinds[deviation.quantity.split("/")[0]].append(deviation)
        for kind, compared in kinds.items():
            worst = max(compared, key=lambda d: (isnan(d.relative), d.relative))
            verdict = "ok" if worst.ok else f"FAILED ({worst.step} {worst.quantity})"
            print(
                f"  {kind:18s} {len(compared):4d} compared, largest relative deviation "
                f"{worst.relative:.1e} (allowed {worst.tolerance:.0e})  {verdict}"
            )
        failed |= any(not d.ok for d in deviations)
    return int(failed)


def run_released(arguments: argparse.Namespace) -> None:
    """Print metrics of published weights on both splits; optionally compare every user's rank."""
    from elcrec.config.config import load_config
    from elcrec.files.atomic import write_json

    config = load_config(arguments.config)
    if not arguments.output:
        _released(arguments, config)
        return
    with writing_to(arguments, config) as path:
        write_json(path, _released(arguments, config))


def _released(arguments: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Evaluate published weights and print their metrics; returns the record."""
    from elcrec.data.histories import InteractionData
    from elcrec.data.sequences import SPLITS
    from elcrec.evaluation.metrics import summarise
    from elcrec.evaluation.ranking import Evaluator
    from elcrec.files.weights import fit
    from elcrec.jobs.device import choose
    from elcrec.jobs.environment import command, commit
    from elcrec.runs.settings import resolve
    from elcrec.usage import device_name
    from elcrec.verification.released import by_name, compare_ranks, learned_intents
    from elcrec.verification.tensor_names import load_released

    device = choose(arguments.device, arguments.threads)
    weights = load_released(arguments.weights)
    model_id = arguments.model or ("elcrec" if "centers" in weights else "iclrec")
    dataset = by_name(config.datasets, arguments.dataset)
    data = InteractionData.read(config.prepared_file(dataset), device)
    settings = resolve(config, model_id, dataset)
    model = settings.build(data.n_users, data.item_size).to(device)
    fit(model, weights, f"{arguments.weights}: does not fit {settings.name} on {dataset}")
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
            f"  {intents['in_use']} of {intents['count']} centers are nearest to at least one of"
            f" {intents['users']} users; mean cosine between centers"
            f" {intents['center_cosine']:.2f}, between users {intents['user_cosine']:.2f}"
        )
    for fixture in arguments.ranks:
        print("  " + compare_ranks(fixture, ranks, arguments.protocol))
    head, dirty = commit()
    return {
        "model": model_id,
        "dataset": dataset,
        "file": arguments.weights.name,
        "protocol": arguments.protocol,
        "metrics": metrics,
        "intents": intents,
        "commit": head,
        "dirty": dirty,
        "device": device_name(device),
        "command": command(),
    }


def run_fetch(arguments: argparse.Namespace) -> None:
    """Fetch one file of published weights, from the mirror or the authors' repository."""
    from elcrec.config.config import load_config
    from elcrec.data.fetch import fetch

    config = load_config(arguments.config)
    entry = next((e for e in config.released_weights if e.name == arguments.file), None)
    if entry is None:
        known = ", ".join(e.name for e in config.released_weights)
        raise InputError(f"--file {arguments.file}: not in released_weights; known: {known}")
    with writing_to(arguments, config, folder=True) as folder:
        print(fetch(entry.name, [entry], folder).path)


def add_commands(subparsers: Any) -> None:
    """Add `verify` with its commands to the parser of `elcrec`."""
    verify = subparsers.add_parser("verify", help="check against the authors' code and weights")
    commands = verify.add_subparsers(dest="what", required=True, metavar="WHAT")

    golden = commands.add_parser("golden", help="compare losses and gradients with fixtures (.npz)")
    golden.add_argument("files", nargs="+", type=file_path, metavar="FILE")
    golden.add_argument("--weights", type=file_path, help="released ones, for fixtures without any")
    golden.set_defaults(run=run_golden)

    text = "metrics of the authors' published weights"
    released = add_command(commands, "released", run_released, text)
    released.add_argument("--dataset", required=True)
    released.add_argument("--weights", required=True, type=file_path, help="state dictionary (.pt)")
    released.add_argument("--model", choices=("elcrec", "iclrec"), help="default: from its tensors")
    released.add_argument("--protocol", choices=PROTOCOLS, default="paper")
    released.add_argument("--ranks", type=file_path, nargs="*", default=[], help="fixtures (.npz)")
    add_output(released, "write the metrics as JSON")
    add_device(released)

    text = "download published weights named in the config"
    fetch = add_command(commands, "fetch", run_fetch, text)
    fetch.add_argument("--file", required=True, help="a file name under `released_weights`")
    add_output(fetch, "folder", required=True)
