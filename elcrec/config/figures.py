"""The available figures, one row each, in the order of the report.

Everything known about a figure before it is drawn is here: the command, the report, the
configuration and the workflow read it. This module imports nothing, so that they stay light.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """A kind of figure, drawn by `draw` in the module of the same name in elcrec/figures/.

    Paths are patterns with {output}, {data}, {released} and {paper}: the folders of the
    configuration, of checks of published weights, and of the printed numbers. A path
    with {dataset} means one file for each data set of the figure.
    """

    about: str
    """What it shows, for the help."""
    runs: Literal["models", "printed", "arms", "points", "single"] = "models"
    """Which runs it shows: all seeds of the models that the configuration lists under its name
    (`printed`: on data sets of the paper's Table 1), the arms of the ablation, the points of the
    sensitivity, or one run of the model `intents_of`."""
    inputs: tuple[str, ...] = ()
    """Further files that it needs."""
    extras: tuple[str, ...] = ()
    """Further files that it shows if they exist."""
    each: bool = False
    """One figure per data set, not one for all."""


KINDS = {
    "verdict": Kind(
        "each printed value of Table 1 compared with the runs",
        runs="printed",
        inputs=("{output}/tables/verdict.csv",),
    ),
    "ablation": Kind(
        "parts of ELCRec added one by one, compared with the model without them",
        runs="arms",
        inputs=("{paper}/ablation.csv",),
    ),
    "sensitivity": Kind("test HR@5 against alpha and K", runs="points"),
    "convergence": Kind("validation HR@5 and training loss per epoch"),
    "tsne": Kind(
        "2-D projection of user embeddings at several epochs, by intent", runs="single", each=True
    ),
    "case_study": Kind(
        "intents of users by activity",
        runs="single",
        inputs=("{data}/{dataset}/sequences.txt",),
        each=True,
    ),
    "diagnostics": Kind(
        "centers in use, cosines, and the cluster loss computed in two ways, per epoch",
        extras=("{released}/{dataset}/elcrec.json",),
    ),
    "activity": Kind(
        "accuracy by length of the user's history",
        inputs=("{data}/{dataset}/sequences.txt",),
    ),
    "study": Kind(
        "effect of changes to the clustering on accuracy and on clusters",
        inputs=("{output}/tables/study.csv",),
        each=True,
    ),
}

LISTED = tuple(name for name, kind in KINDS.items() if kind.runs in ("models", "printed"))
"""Kinds whose models the configuration lists: `figures: {convergence: [elcrec, sasrec]}`."""
