"""`elcrec bench --against`: the authors' released code beside this project's, in turn."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import elcrec.bench.released_driver
from elcrec.bench import rounds
from elcrec.bench.checkout import Checkout
from elcrec.bench.job import Job, start_worker
from elcrec.bench.process import Process
from elcrec.errors import InputError

OPTIONS = {
    "dimension": "hidden_size",
    "max_length": "max_seq_length",
    "blocks": "num_hidden_layers",
    "heads": "num_attention_heads",
    "hidden_dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "intents": "num_intent_clusters",
    "alpha": "trade_off",
    "instance_weight": "cf_weight",
    "intent_weight": "intent_cf_weight",
    "fusion": "prototype",
    "batch_size": "batch_size",
    "learning_rate": "lr",
    "beta1": "adam_beta1",
    "beta2": "adam_beta2",
    "weight_decay": "weight_decay",
}
"""Their names of our settings."""


def compare(job: Job, checkout: Checkout, plan: rounds.Plan) -> dict[str, Any]:
    """Measure both in turn, with the same settings, data, threads and device.

    Args:
        job: Ours: ELCRec or a variant of it.
        checkout: Theirs.
        plan: How much is measured.

    Returns:
        `here` and `released`, as `elcrec.bench.job.measure` gives; `ratio`: how many times as long
        theirs takes, spread over rounds; `checkout`.

    Raises:
        InputError: Another model, a setting that theirs has not, or either side failed.
    """
    settings, data = released_settings(job)
    with start_worker(job) as ours:
        about = ours.ask("build", job=job.as_dict())
        cuda = about["torch_device"].startswith("cuda")
        with Process("released code", driver_command(), _visible(about["torch_device"])) as theirs:
            released = theirs.ask(
                "build",
                source=str(checkout.source.resolve()),
                data=str(data.resolve()),
                options=settings,
                seed=job.seed,
                device="cuda" if cuda else "cpu",
                threads=about["environment"]["threads"],
            )
            found = rounds.alternate({"released": theirs, "here": ours}, plan)
    steps = about["steps_per_epoch"]
    return {
        "here": {**about, **found["here"].report(steps)},
        "released": {**released, **found["released"].report(released["steps_per_epoch"])},
        "ratio": {
            "step": rounds.ratios(found["released"].step, found["here"].step),
            "epoch": rounds.ratios(found["released"].epoch(steps), found["here"].epoch(steps)),
            "evaluation": rounds.ratios(found["released"].evaluation, found["here"].evaluation),
        },
        "checkout": checkout.as_dict(),
    }


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Their options for a run with our settings (`RunSettings.as_dict`).

    Raises:
        InputError: A setting that their code has not.
    """
    if settings["module"] != "elcrec.models.elcrec":
        raise InputError(f"--against: the released code is ELCRec, not {settings['name']}")
    values = {**settings["parameters"], **settings["training"]}
    if values["fusion"] not in ("shift", "concat"):
        raise InputError(f"--against: the released code has no fusion '{values['fusion']}'")
    named = {theirs: values[ours] for ours, theirs in OPTIONS.items()}
    return named | {"num_intent_clusters": str(named["num_intent_clusters"])}  # they split a text


def released_settings(job: Job) -> tuple[dict[str, Any], Path]:
    """Their options for a job of ours, and the data file; errors as for `options`."""
    config, settings = job.resolve()
    return options(settings.as_dict()), config.sequences_file(job.dataset)


def driver_command() -> list[str]:
    """Command of the released code's process.

    Without `-P` modules beside the driver could be taken for others of the same name.
    """
    return [sys.executable, "-P", str(elcrec.bench.released_driver.__file__)]


def _visible(device: str) -> dict[str, str]:
    """Let their code see only the GPU that ours runs on: they always take the first one."""
    kind, _, number = device.partition(":")
    if kind != "cuda":
        return {}
    seen = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    index = int(number or 0)
    return {"CUDA_VISIBLE_DEVICES": seen[index] if index < len(seen) else str(index)}
