"""A time limit, set by a cluster's queue or a rented machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

from elcrec.errors import InputError

MARGIN = 1.25
"""Safety factor: the next epoch may take this many times as long as the longest recent one."""

EXIT_STATUS = 75
"""Exit status of a command stopped by its time limit: `EX_TEMPFAIL` of sysexits.h, try again."""


class OutOfTimeError(InputError):
    """Stopped because of a deadline; all work done so far is kept."""


@dataclass(frozen=True)
class Deadline:
    """A moment by which work must have stopped."""

    at: float
    """On the clock of `time.monotonic`, in seconds."""

    @classmethod
    def after(cls, minutes: float) -> Deadline:
        """The moment this many minutes from now."""
        return cls(time.monotonic() + 60 * minutes)

    def comes_within(self, seconds: float) -> bool:
        """Whether work that takes about this long, with a margin, would run past the deadline."""
        return time.monotonic() + MARGIN * seconds > self.at
