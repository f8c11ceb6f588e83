"""ELCRec with `intents: auto`: the number of centers by a rule of thumb, not by hand.

K = sqrt(users / 2), rounded: the rule of Mardia, Kent & Bibby, "Multivariate Analysis" (1979). The
paper mentions a rule of thumb whose formula this project does not know, so this one is our choice.
Beauty gets 106 centers, where the paper has 256.
"""

from dataclasses import dataclass, replace
from typing import Literal

import elcrec.models.elcrec as elcrec


@dataclass(frozen=True)
class Hyperparameters(elcrec.Hyperparameters):
    """Hyper-parameters of ELCRec; K may be left to the rule."""

    intents: int | Literal["auto"] = "auto"  # type: ignore[assignment] # wider than the base
    """Number K of cluster centers, or `auto`."""

    def __post_init__(self) -> None:
        if self.intents == "auto":
            replace(self, intents=1)  # checks all the others
        else:
            super().__post_init__()


class Model(elcrec.Model):
    """ELCRec with as many centers as the rule says."""

    def __init__(self, parameters: Hyperparameters, n_users: int, item_size: int) -> None:
        if parameters.intents == "auto":
            parameters = replace(parameters, intents=thumb_rule(n_users))
        super().__init__(parameters, n_users, item_size)


def thumb_rule(n_users: int) -> int:
    """Number of centers for this many users, at least 1."""
    return max(1, round((n_users / 2) ** 0.5))
