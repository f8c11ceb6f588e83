"""The measuring process of this project's models: `python -m elcrec.bench.worker`.

The lines it reads and writes are described in `elcrec.bench.process`; the first one is
`{"do": "build", "job": ...}`, the others name methods of `elcrec.bench.subject.Subject`.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO, Any

from elcrec.bench.job import Job
from elcrec.bench.subject import Subject
from elcrec.errors import InputError

METHODS = ("start", "steps", "evaluate", "epoch", "memory", "profile", "sizes")
"""What can be asked for once the subject is built."""


def main() -> None:
    """Answer until the input ends."""
    answers = keep_output_for_answers()
    worker = Worker()
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"answer": worker.do(**json.loads(line))}
        except InputError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), file=answers, flush=True)


class Worker:
    """Carries out requests."""

    subject: Subject | None = None

    def do(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Do one thing.

        Raises:
            InputError: What the user gave is wrong, or no such thing can be done.
        """
        if do == "build":
            self.subject = Subject(Job.read(arguments["job"]))
            return self.subject.about()
        if self.subject is None or do not in METHODS:
            raise InputError(f"cannot do '{do}'")
        result: dict[str, Any] = getattr(self.subject, do)(**arguments)
        return result


def keep_output_for_answers() -> IO[str]:
    """Return the standard output; what libraries print goes to standard error from now on."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main()
