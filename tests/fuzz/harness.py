"""What every fuzz test demands: a reader succeeds or refuses in one line, and nothing else."""

from __future__ import annotations

import contextlib
import io
import os
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings

from elcrec.cli.main import main
from elcrec.errors import InputError
from tests.fuzzing import examples

Result = TypeVar("Result")

COUNTS: Counter[tuple[str, str]] = Counter()
"""(kind of file, `read` or `refused`) to the number of cases; told at the end of the test run."""
LONGEST = 1000
"""Characters of a message; no more of a wrong value is repeated."""


def fuzz(base: int) -> settings:
    """Settings of a test of `base` cases: always the same ones unless ELCREC_FUZZ is set."""
    return settings(
        max_examples=examples(base),
        derandomize="ELCREC_FUZZ" not in os.environ,
        database=None,  # leaves no folder behind
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def attempt(kind: str, path: Path, read: Callable[[], Result]) -> Result | None:
    """Call `read`; None where it refuses. Any other exception than InputError goes through."""
    try:
        result = read()
    except InputError as error:
        COUNTS[kind, "refused"] += 1
        check_message(str(error), path)
        return None
    COUNTS[kind, "read"] += 1
    return result


def command(
    kind: str,
    paths: Path | Collection[Path],
    arguments: Sequence[str],
    folder: Path,
    good: Sequence[int] = (0,),
) -> int:
    """Run `elcrec` with `arguments`, which read a damaged file.

    Args:
        kind: Of the file, for the counts.
        paths: Files of which the message must name one: the damaged one, or those it contradicts.
        arguments: The command line.
        folder: Where the command writes; a refusal must leave it as it was.
        good: Exit statuses of a command that could read its input.
    """
    before, errors = content(folder), io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        status = main(list(arguments))
    if status in good:
        COUNTS[kind, "read"] += 1
        return status
    COUNTS[kind, "refused"] += 1
    assert status == 2
    told = [line for line in errors.getvalue().splitlines() if line.startswith("elcrec: ")]
    assert len(told) == 1, errors.getvalue()
    check_message(told[0], *([paths] if isinstance(paths, Path) else paths))
    assert content(folder) == before
    return status


def check_message(message: str, *paths: Path) -> None:
    """One line of sensible length that can be printed and names one of the files."""
    assert message.splitlines() == [message]
    assert len(message) < LONGEST
    message.encode()
    assert any(path.name in message for path in paths), message


def content(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every file below `folder`, hidden or not: size and time of its last change."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
