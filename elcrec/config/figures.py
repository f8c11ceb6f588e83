"""The figures that there are, a row for each, in the order of the report.

All that is known of a figure before it is drawn stands here: the command, the report, the
configuration and the workflow read it. This module imports nothing, so that they stay light.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """A kind of figure; the function `draw` of the module of its name in elcrec/figures/ draws it.

    Paths are patterns with {output}, {data}, {released} and {paper}: the folders of the
    configuration, of checks of published weights, and of the printed numbers. One with {dataset}
    stands for every data set of the figure.
    """

    about: str
    """What it shows, for the help."""
    runs: Literal["models", "printed", "arms", "points", "single"] = "models"
    """Which runs it shows: all seeds of the models that the configuration lists under its name
    (`printed`: on data sets of the paper's Table 1), the arms of the ablation, the points of the
    sensitivity, or one run of the model `intents_of`."""
    inputs: tuple[str, ...] = ()
    """Further files that it is made of."""
    extras: tuple[str, ...] = ()
    """Further files that it shows if they are there."""
    each: bool = False
    """A figure for every data set, not one for all."""


KINDS = {
    "verdict": Kind(
        "each printed value of Table 1 against the runs",
        runs="printed",
        inputs=("{output}/tables/verdict.csv",),
    ),
    "ablation": Kind(
        "parts of ELCRec added one after the other, against the model without them",
        runs="arms",
        inputs=("{paper}/ablation.csv",),
    ),
    "sensitivity": Kind("test HR@5 against alpha and K", runs="points"),
    "convergence": Kind("validation HR@5 and training loss per epoch"),
    "tsne": Kind(
        "user embeddings in the plane at several epochs, by intent", runs="single", each=True
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
        "accuracy of users by the length of their history",
        inputs=("{data}/{dataset}/sequences.txt",),
    ),
    "study": Kind(
        "what changes of the clustering do to accuracy and to clusters",
        inputs=("{output}/tables/study.csv",),
        each=True,
    ),
}

LISTED = tuple(name for name, kind in KINDS.items() if kind.runs in ("models", "printed"))
"""Kinds whose models the configuration lists: `figures: {convergence: [elcrec, sasrec]}`."""
