"""Metrics of predicted probabilities: AUC, AUC within each user, log loss, relative gain."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEAST = 1e-7
"""Lower bound on the probability of the true label in the log loss."""


def auc_by(
    users: NDArray[np.integer], labels: NDArray[np.floating], scores: NDArray[np.floating]
) -> pd.Series:
    """The AUC within each user: how often a positive ranks above a negative; ties count half.

    It is the rank-sum statistic of Mann and Whitney. Every user counts the same in its mean, unlike
    in the GAUC of Zhou et al. (DIN, KDD 2018), which weights users by impressions.

    Args:
        users: (N,) user of each row.
        labels: (N,) 0 or 1.
        scores: (N,) larger for what is more likely.

    Returns:
        By user, in ascending order; only of users who have both labels.
    """
    frame = pd.DataFrame({"label": labels.astype(np.float64), "score": scores})
    frame["rank"] = frame.groupby(users)["score"].rank() * frame["label"]
    sums = frame.groupby(users)[["label", "rank"]].sum()
    positive = sums["label"]
    negative = frame.groupby(users).size() - positive
    found = (sums["rank"] - positive * (positive + 1) / 2) / (positive * negative)
    return found[(positive > 0) & (negative > 0)]


def auc(labels: NDArray[np.floating], scores: NDArray[np.floating]) -> float:
    """The AUC over all rows; nan where one of the labels is missing."""
    return float(auc_by(np.zeros(len(labels), dtype=np.int8), labels, scores).mean())


def log_loss(labels: NDArray[np.floating], probabilities: NDArray[np.floating]) -> float:
    """Mean cross-entropy in nats; nan without rows."""
    sure = np.where(labels > 0, probabilities, 1.0 - probabilities).astype(np.float64)
    return float(-np.log(np.clip(sure, LEAST, 1.0)).mean()) if len(sure) else float("nan")


def gain(ours: float, baseline: float) -> float:
    """Relative improvement in percent of the baseline, as the paper prints it."""
    return 100 * (ours - baseline) / baseline
