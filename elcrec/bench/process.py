"""A measuring process, asked for one thing after the other.

It reads a JSON object per line from its standard input, `{"do": name, ...}`, and answers each with
one on its standard output: `{"answer": ...}`, or `{"error": one line}`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from elcrec.errors import InputError


class ProcessError(InputError):
    """The process refused, ended or took too long; the message says which, in one line."""


class Process(AbstractContextManager["Process"]):
    """A child process that ends with the block: `with Process(...) as worker: worker.ask(...)`."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it.

        Args:
            name: What error messages call it.
            command: Program and arguments.
            environment: Variables that differ from this process's.
        """
        self.name = name
        # A file, not a pipe: nobody reads it while the process writes.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  closed in `close`
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={**os.environ, **(environment or {})},
        )

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(self, what: str, timeout: float | None = None, **arguments: Any) -> dict[str, Any]:
        """Let it do one thing and return the answer.

        Args:
            what: Name of the thing.
            timeout: Seconds after which the process is ended; None: however long it takes.
            arguments: What the thing needs.

        Raises:
            ProcessError: It answered with an error, ended, or took too long.
        """
        assert self._child.stdin
        assert self._child.stdout
        try:
            self._child.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        if not select.select([self._child.stdout], [], [], timeout)[0]:
            self.close()
            raise ProcessError(f"{self.name}: stopped, was not done after {timeout:.0f} s")
        line = self._child.stdout.readline()
        if not line:
            raise self._ended()
        answer = json.loads(line)
        if "error" in answer:
            raise ProcessError(f"{self.name}: {answer['error']}")
        result: dict[str, Any] = answer["answer"]
        return result

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout, self._complaints):
            if stream and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:  # what was not sent any more
                    continue

    def _ended(self) -> ProcessError:
        status = self._child.wait()
        if status == -signal.SIGKILL:
            return ProcessError(f"{self.name}: was killed, perhaps for want of memory")
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        last = f": {lines[-1].strip()}" if lines else ""
        return ProcessError(f"{self.name}: ended with status {status}{last}")
