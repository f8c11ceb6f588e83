"""Targets that the user had before, and how each protocol ranks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from elcrec.errors import InputError

if TYPE_CHECKING:
    from elcrec.data.sequences import Split

RankingProtocol = Literal["paper", "strict", "repeats"]
"""How items that a user already had are ranked: see `elcrec.evaluation.ranking`."""
PROTOCOLS: tuple[RankingProtocol, ...] = get_args(RankingProtocol)
REPEATED: Mapping[str, str] = {
    "paper": "score 0, whatever the model predicts",
    "strict": "are never recommended, so they never count as hits",
    "repeats": "compete like all others",
}
"""What happens to items that the user had before, by protocol."""


def describe_repeats(repeated: Mapping[Split, int], users: int) -> str:
    """How many targets already occur in the user's own history, in words.

    Args:
        repeated: Their number by split, as `Sequences.repeated` gives it.
        users: Number of users, who have one target in each split.
    """
    numbers = " and ".join(f"{number:,} {split}" for split, number in repeated.items())
    return f"{numbers} targets of {users:,} users already occur in the user's own history"


def refuse_repeats(repeated: Mapping[Split, int], users: int, protocol: RankingProtocol) -> None:
    """Refuse a data set on which a protocol measures nothing; arguments as for `describe_repeats`.

    Raises:
        InputError: Every target of a split already occurs in the user's own history, and items
            that the user had before do not compete.
    """
    if protocol != "repeats" and users in repeated.values():
        raise InputError(
            f"{describe_repeats(repeated, users)}; under the protocol `{protocol}` these items "
            f"{REPEATED[protocol]}: models cannot be compared; "
            "`protocol: repeats` lets them compete"
        )
