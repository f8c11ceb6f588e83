"""Command lines as they are recorded: what another machine can repeat."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def portable(command: Sequence[str], without: Sequence[str]) -> str:
    """A command line without the paths of the machine it ran on: `elcrec train --dataset …`.

    Args:
        command: The words, the program first.
        without: Options to leave out with their values.
    """
    kept: list[str] = []
    skip = False
    for word in command[1:]:
        if word.startswith("-"):
            skip = word in without
        if not skip:
            kept.append(word)
    return shlex.join(["elcrec", *kept])
