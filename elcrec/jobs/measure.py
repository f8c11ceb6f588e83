"""Time and memory of one run alone on the device, for Tables 2 and 3."""

from dataclasses import replace
from typing import Any

from elcrec.data.histories import InteractionData
from elcrec.errors import InputError
from elcrec.jobs.environment import command
from elcrec.jobs.run import Run, execute
from elcrec.runs.efficiency import PHASES
from elcrec.usage import spread


def measure(run: Run, data: InteractionData, epochs: int) -> dict[str, Any]:
    """Train `epochs` + 1 epochs without early stopping; the first warms up and is not counted.

    What a model does once before its first epoch (ELCRec's k-means start) is not part of an epoch
    and is reported as `seconds_before_training`.

    Args:
        run: The run to measure; its own number of epochs and patience are ignored.
        data: The histories, on the device.
        epochs: Measured epochs.

    Returns:
        The content of an efficiency file: seconds per epoch (median, min, max) by phase, peak
        bytes, device, command.

    Raises:
        InputError: A model that is not trained.
    """
    training = replace(run.settings.training, max_epochs=epochs + 1, patience=0)
    settings = replace(run.settings, training=training)
    record = execute(replace(run, settings=settings), data)
    metrics, history = record["metrics"], record["result"].history
    if "loss_total" not in history[0]:
        raise InputError(f"{run.settings.model}: is not trained, so there is nothing to measure")
    rows = [{p: row.get(f"seconds_{p}", 0.0) for p in PHASES} for row in history[1:]]
    totals = {"total": [sum(row.values()) for row in rows]}
    phases = totals | {phase: [row[phase] for row in rows] for phase in PHASES}
    in_epochs = sum(row.get("seconds_kmeans", 0.0) for row in history)
    keys = ("format", "dataset", "model", "seed", "peak_memory", "device", "parameters")
    modes = ("kernels", "graphs", "precision")
    return {
        **{key: metrics[key] for key in (*keys, *modes, "fingerprint", "data", "commit", "dirty")},
        "settings": run.settings.digest(),
        "command": command(),
        "device_kind": data.device.type,
        "epochs_measured": epochs,
        "seconds_per_epoch": {phase: spread(values) for phase, values in phases.items()},
        "seconds_before_training": max(0.0, metrics["seconds"]["kmeans"] - in_epochs),
    }
