"""Targets that the user had before, and the protocols that say what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from elcrec.errors import InputError

if TYPE_CHECKING:
    from elcrec.data.sequences import Split

RankingProtocol = Literal["paper", "strict", "repeats"]
"""How items that a user already had are ranked: see `elcrec.evaluation.ranking`."""
PROTOCOLS: tuple[RankingProtocol, ...] = get_args(RankingProtocol)
FATE: Mapping[str, str] = {
    "paper": "score 0, whatever the model makes of them",
    "strict": "are never recommended, so never hit",
    "repeats": "compete like all others",
}
"""What items that the user had before do, by protocol."""


def counted(repeated: Mapping[Split, int], users: int) -> str:
    """How many targets stand in the user's own history, in words.

    Args:
        repeated: Their number by split, as `Sequences.repeated` gives it.
        users: Number of users, who have one target in each split.
    """
    numbers = " and ".join(f"{number:,} {split}" for split, number in repeated.items())
    return f"of {users:,} users' targets, {numbers} ones stand in the user's own history"


def refuse_repeats(repeated: Mapping[Split, int], users: int, protocol: RankingProtocol) -> None:
    """Refuse a data set on which a protocol could tell nothing; arguments as for `counted`.

    Raises:
        InputError: Every target of a split stands in the user's own history, and items that the
            user had before do not compete.
    """
    if protocol != "repeats" and users in repeated.values():
        raise InputError(
            f"{counted(repeated, users)}, and ranked by `{protocol}` such items {FATE[protocol]}: "
            "no model could be told from another; `protocol: repeats` lets them compete"
        )
