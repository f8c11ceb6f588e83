"""Curves over epochs: mean over seeds with a band, as far as every seed was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from elcrec.figures.style import Series

BAND = (
    "Lines are means over seeds, bands one standard deviation; they end at the last epoch that "
    "every seed reached."
)


@dataclass(frozen=True)
class Curve:
    """One quantity of one model on one data set, epoch by epoch."""

    epochs: NDArray[np.int64]
    """(E,) from 1."""
    mean: NDArray[np.float64]
    """(E,) over seeds."""
    std: NDArray[np.float64]
    """(E,) sample standard deviation over seeds, 0 for a single seed."""
    seeds: int

    def rows(self, **key: Any) -> list[dict[str, Any]]:
        """Rows for the CSV, `key` before the values."""
        return [
            {**key, "epoch": int(e), "seeds": self.seeds, "mean": m, "std": s}
            for e, m, s in zip(self.epochs, self.mean, self.std, strict=True)
        ]


def curve(histories: Sequence[pd.DataFrame], column: str) -> Curve | None:
    """The curve of a column, None where no history has it.

    Args:
        histories: One per seed, with the column `epoch`.
        column: A column of numbers; histories without it, or with nothing in it, are left out.
    """
    known = [h for h in histories if column in h and h[column].notna().any()]
    if not known:
        return None
    epochs = min(len(history) for history in known)
    values = np.array([h[column].to_numpy(np.float64)[:epochs] for h in known])
    std = values.std(axis=0, ddof=1) if len(known) > 1 else np.zeros(epochs)
    return Curve(np.arange(1, epochs + 1), values.mean(axis=0), std, len(known))


def plot(axis: Axes, found: Curve, look: Series, label: str) -> None:
    """Draw a curve with its band and a few markers, so that it can be told apart in grey."""
    axis.plot(
        found.epochs,
        found.mean,
        color=look.color,
        linestyle=look.line,
        marker=look.marker,
        markevery=max(1, len(found.epochs) // 8),
        label=label,
    )
    axis.fill_between(
        found.epochs,
        found.mean - found.std,
        found.mean + found.std,
        color=look.color,
        alpha=0.2,
        linewidth=0,
    )
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
