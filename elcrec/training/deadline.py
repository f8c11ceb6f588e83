"""A time limit: of a cluster's queue, or of a rented machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

from elcrec.errors import InputError

MARGIN = 1.25
"""How much longer than the longest so far the next epoch may take."""

EXIT_STATUS = 75
"""Of a command that stopped in time: `EX_TEMPFAIL` of sysexits.h, try again."""


class OutOfTimeError(InputError):
    """Stopped because of a deadline, with all that was done kept."""


@dataclass(frozen=True)
class Deadline:
    """A moment by which work has to have stopped."""

    at: float
    """On the clock of `time.monotonic`, in seconds."""

    @classmethod
    def after(cls, minutes: float) -> Deadline:
        """So many minutes from now."""
        return cls(time.monotonic() + 60 * minutes)

    def comes_within(self, seconds: float) -> bool:
        """Whether work that should take so long, or a little more, would pass it."""
        return time.monotonic() + MARGIN * seconds > self.at
