"""One line of progress for Snakemake instead of its messages: snakemake --logger progress.

Snakemake finds it with PYTHONPATH=workflow/logger. A failure is reported with the end of its log.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from collections.abc import Mapping
from logging import WARNING, LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

WEIGHTS = {"train": 10, "sensitivity": 4, "measure": 3}
"""Roughly how many times as long as other jobs these take in `make demo`."""
EARLY = 0.05
"""Share of the work before which the remaining time cannot be estimated."""
LINES = 5
"""Lines shown of a failed job's log."""
NOTHING = "Nothing to be done"
"""Beginning of Snakemake's message that everything is up to date."""
COMMAND_FAILED = "CalledProcessError"
CLEAR = "\r\033[K"
"""Go to the beginning of the line and clear it."""


class LogHandler(LogHandlerBase):
    """Counts jobs by their weights; everything but errors becomes one line."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Start with nothing done."""
        self.stream = sys.stderr
        self.running: dict[int, tuple[str, ...]] = {}
        """Rule and wildcards of jobs."""
        self.work = self.done = 0.0
        self.total = self.finished = 0
        self.begun: float | None = None
        self.open = False
        """Whether the current line is unfinished."""
        self.written = -1.0
        """Share shown in the last line, where lines cannot be overwritten."""

    def emit(self, record: LogRecord) -> None:
        """Handle an event of Snakemake."""
        event = getattr(record, "event", None)
        values = vars(record)
        if event == LogEvent.RUN_INFO:
            self._plan(values["stats"])
        elif event == LogEvent.JOB_INFO:
            self.begun = self.begun or time.monotonic()
            self.running[values["jobid"]] = (values["rule_name"], *values["wildcards"].values())
            self._show()
        elif event == LogEvent.JOB_FINISHED:
            self.finished += 1
            self.done += weight(self.running.pop(values["job_id"])[0])
            self._show()
        elif event == LogEvent.JOB_ERROR:
            self.running.pop(values["jobid"], None)
            self._say(failure(values))
        elif event == LogEvent.ERROR and COMMAND_FAILED in str(record.msg):
            pass  # the failure already reported for the job
        elif record.levelno >= WARNING or str(record.msg).startswith(NOTHING):
            self._say(self.format(record))

    def close(self) -> None:
        """End the line."""
        if self.open:
            self.stream.write("\n")
            self.open = False
        super().close()

    def _plan(self, stats: Mapping[str, int]) -> None:
        counts = {rule: count for rule, count in stats.items() if rule != "total"}
        self.total = sum(counts.values())
        self.work = sum(weight(rule) * count for rule, count in counts.items())

    def _say(self, text: str) -> None:
        """Replace the line by a message."""
        self.stream.write(f"{CLEAR if self.open else ''}{text}\n")
        self.stream.flush()
        self.open = False

    def _show(self) -> None:
        """Write the line; in a file or a log of CI only after each tenth of the work."""
        share = self.done / self.work if self.work else 0.0
        line = f"{int(100 * share):3d} %, {self.finished} of {self.total} jobs{self._left(share)}"
        if self.stream.isatty():
            now = " ".join(next(iter(self.running.values()), ()))
            text = f"{line}  {now}"[: shutil.get_terminal_size().columns - 1]
            self.stream.write(f"{CLEAR}{text}")
            self.open = True
        elif share >= self.written + 0.1 or share == 1:
            self.written = share
            self.stream.write(f"{line}\n")
        self.stream.flush()

    def _left(self, share: float) -> str:
        """Time left if the rest goes at the same pace; a rough estimate."""
        if self.begun is None or not EARLY <= share < 1:
            return ""
        minutes = (time.monotonic() - self.begun) * (1 / share - 1) / 60
        text = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
        return f", about {text if minutes > 1 else '1 min'} left"


def weight(rule: str) -> float:
    """Work of a job of this rule."""
    return WEIGHTS.get(rule, 1)


def failure(values: Mapping[str, object]) -> str:
    """What failed, where its log is, and the last lines of the log."""
    outputs, logs = values["output"], values["log"]
    assert isinstance(outputs, list)
    assert isinstance(logs, list)
    lines = [f"failed: {values['rule_name']} for {', '.join(outputs[:1])}"]
    for log in logs:
        lines.append(f"  its log: {log}")
        if Path(log).is_file():
            with Path(log).open(encoding="utf-8", errors="replace") as file:
                lines += [f"    {line.rstrip()}" for line in deque(file, LINES)]
    return "\n".join(lines)
