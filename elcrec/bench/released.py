"""The authors' released code as a peer: a user's own checkout of it."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elcrec.bench.measure import Peer
from elcrec.bench.released_side import Released
from elcrec.bench.subject import Job
from elcrec.errors import InputError

REPOSITORY = "github.com/yueliu1999/ELCRec, at 119b496 or 60086bb"

NEEDED = {
    "main.py": (),
    "models.py": ("SASRecModel",),
    "trainers.py": ("ELCRecTrainer",),
    "datasets.py": ("RecWithContrastiveLearningDataset",),
    "modules.py": (),
    "utils.py": ("get_user_seqs", "set_seed"),
    "data_augmentation.py": (),
}
"""Files below `src`, and the classes and functions in them that are used."""

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


def released(folder: Path, job: Job) -> Peer:
    """The checkout with the settings and data of a job; nothing in it is run.

    Args:
        folder: The checkout.
        job: Ours: ELCRec or a variant of it.

    Raises:
        InputError: It is not there or has other code in it; another model, or a setting that
            theirs has not.
    """
    if not folder.is_dir():
        raise InputError(f"--against {folder}: no such folder; clone {REPOSITORY}")
    which = {"commit": _commit(folder), "sha256": {n: _checked(folder, n) for n in NEEDED}}
    config, settings = job.resolve()
    arguments = {
        "source": str(folder.resolve() / "src"),
        "data": str(config.prepared_file(job.dataset).resolve()),
        "options": options(settings.as_dict()),
    }
    return Peer("released code", Released, arguments, which)


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


def _checked(folder: Path, name: str) -> str:
    """Hash of a file of theirs: which code was measured."""
    path = folder / "src" / name
    if not path.is_file():
        raise InputError(f"--against {folder}: has no src/{name}; expected {REPOSITORY}")
    content = path.read_bytes()
    for wanted in NEEDED[name]:
        if not re.search(rf"^(class|def) {wanted}\b".encode(), content, re.MULTILINE):
            problem = f"src/{name} defines no {wanted}"
            raise InputError(f"--against {folder}: {problem}; expected {REPOSITORY}")
    return hashlib.sha256(content).hexdigest()


def _commit(folder: Path) -> str | None:
    """Commit of the checkout, with `+` when files differ from it; None without git."""
    if not (folder / ".git").exists():
        return None
    describe = ["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty=+"]
    try:
        done = subprocess.run(describe, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
