"""`elcrec bench --against`: the authors' released code, from a user's checkout, beside ours."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from elcrec.bench.measure import Plan, Report, in_turn
from elcrec.bench.released_side import Released
from elcrec.bench.subject import Job
from elcrec.errors import InputError

NAME = "released code"
REPOSITORY = "github.com/yueliu1999/ELCRec, at 119b496 or 60086bb"

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
"""Our settings to their names."""


def against(folder: Path, job: Job, plan: Plan, report: Report) -> dict[str, Any]:
    """Measure the checkout and this project's code in turn, with the same settings and data.

    Args:
        folder: The checkout.
        job: Ours: ELCRec or a variant of it.
        plan: How much is measured.
        report: Called with a line when it begins.

    Returns:
        The result of `elcrec.bench.measure.in_turn`, and their `commit`.

    Raises:
        InputError: The checkout does not exist or contains other code; the model is another one or
            has a setting that their code lacks; or either side failed.
    """
    config, settings = job.resolve()
    version = commit(folder)
    source, data = folder.resolve() / "src", config.prepared_file(job.dataset).resolve()
    arguments = {"source": str(source), "data": str(data), "options": options(settings.as_dict())}
    report(f"{job.model} and the {NAME} on {job.dataset}, in turn ...")
    record = in_turn(job, NAME, Released, arguments, plan)
    version_text = f"commit {version[:10]}" if version else "a folder without git"
    record["peer"] |= {"commit": version, "version": version_text}
    return record


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Their options for a run with our settings (`RunSettings.as_dict`).

    Raises:
        InputError: A setting that their code lacks.
    """
    if settings["module"] != "elcrec.models.elcrec":
        raise InputError(f"--against: the released code is ELCRec, not {settings['name']}")
    values = {**settings["parameters"], **settings["training"]}
    if values["fusion"] not in ("shift", "concat"):
        raise InputError(f"--against: the released code has no fusion '{values['fusion']}'")
    named = {theirs: values[ours] for ours, theirs in OPTIONS.items()}
    return named | {"num_intent_clusters": str(named["num_intent_clusters"])}  # they split a string


def commit(folder: Path) -> str | None:
    """Commit of a checkout, with `+` when files differ from it; None without git.

    Raises:
        InputError: It does not exist, or is of another project.
    """
    if not folder.is_dir():
        raise InputError(f"--against {folder}: no such folder; clone {REPOSITORY}")
    for name in ("main", "models", "trainers", "datasets", "modules", "utils"):
        if not (folder / "src" / f"{name}.py").is_file():
            raise InputError(f"--against {folder}: has no src/{name}.py; expected {REPOSITORY}")
    # Of this folder alone: it may be inside another repository.
    git = ["git", f"--git-dir={folder / '.git'}", f"--work-tree={folder}"]
    describe = ["describe", "--always", "--exclude=*", "--abbrev=40", "--dirty=+"]
    with suppress(OSError, subprocess.CalledProcessError):
        process = subprocess.run([*git, *describe], capture_output=True, text=True, check=True)
        return process.stdout.strip()
    return None
