"""Runs of the present code and settings; others are refused, for their numbers may differ now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from elcrec.config import Config
from elcrec.errors import InputError
from elcrec.fingerprint import fingerprint
from elcrec.registry import module_reference, resolve
from elcrec.tables.runs import Made, stale_runs

Hashes = tuple[str, str]
"""Fingerprint of the code and digest of the settings that make a run."""
Wanted = tuple[str | None, str]
"""The same of what is asked for; None: any code."""


def present_hashes(
    config: Config, model: str, dataset: str, changes: Mapping[str, Any] | None = None
) -> Wanted:
    """What the present code and settings, with `changes`, would record.

    A recorded run may be of any code: it was of the present one when it was recorded, and names its
    commit.
    """
    settings = resolve(config, model, dataset, changes)
    if config.runs == "recorded":
        return None, settings.digest()
    return fingerprint(module_reference(settings)), settings.digest()


def other_than(made: Hashes, present: Wanted) -> Literal["code", "settings"] | None:
    """What made a run differently; None if nothing did."""
    if present[0] not in (None, made[0]):
        return "code"
    return None if made[1] == present[1] else "settings"


def refuse_other_code(config: Config, records: Sequence[Made], models: Iterable[str] = ()) -> None:
    """Refuse runs that the present code or settings did not make.

    Args:
        config: Says what the settings are.
        records: Runs or measurements of it.
        models: More models than the configuration's own that are judged.

    Raises:
        InputError: One of them is of other code or settings; the message says what to do.
    """
    expected = {}
    for dataset, model in dict.fromkeys((r.dataset, r.model) for r in records):
        if model in {*config.models, *config.efficiency.models, *models}:
            expected[dataset, model] = present_hashes(config, model, dataset)
    stale = stale_runs(records, expected)
    if stale:
        first = stale[0]
        present = expected[first.dataset, first.model]
        other = other_than((first.fingerprint, first.settings), present)
        raise InputError(
            f"{first.dataset}/{first.model}: one of {len(stale)} runs that other {other} made than "
            "the present; run them again (snakemake --forcerun train), or allow them with "
            "--any-code"
        )
