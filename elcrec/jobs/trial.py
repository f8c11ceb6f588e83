"""One point of a model's grid: trained like any run, and only its validation split is ranked.

Every point has the settings of the configuration (same epochs, same patience, same seed for every
model); nothing here can see a test item. The point with the best validation score is the one to
write into the model's YAML file; this is not done automatically.
"""

from typing import Any

from elcrec.data.histories import InteractionData
from elcrec.errors import InputError
from elcrec.jobs.run import Run, execute
from elcrec.runs.grid import Point
from elcrec.training.result import Report


def try_point(
    run: Run, data: InteractionData, point: Point, report: Report = lambda row: None
) -> dict[str, Any]:
    """Train one point and rank the validation split.

    Args:
        run: Its settings are those of the point.
        data: The histories, on the device.
        point: The values of the point, for the record.
        report: Called after each epoch with its history row.

    Returns:
        The content of a grid file: point, validation metrics, epochs, seconds, provenance.
    """
    if run.start:
        raise InputError(f"{run.settings.model}: grid: not for a model that starts from another")
    metrics = execute(run, data, report, test=False)["metrics"]
    training = run.settings.training
    keys = ("format", "dataset", "model", "seed", "ranked_by", "best_epoch", "epochs", "device")
    return {
        **{key: metrics[key] for key in (*keys, "kernels", "fingerprint", "commit", "dirty")},
        "point": point,
        "select_by": training.select_by,
        "valid": metrics["metrics"]["valid"],
        "batch_size": training.batch_size,
        "max_epochs": training.max_epochs,
        "patience": training.patience,
        "seconds": metrics["seconds"]["total"],
    }
