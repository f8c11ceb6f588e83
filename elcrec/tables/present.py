"""Runs of the present code and settings; others are refused, for their numbers may differ now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from elcrec.config import Config
from elcrec.errors import InputError
from elcrec.fingerprint import fingerprint
from elcrec.registry import module_reference, resolve
from elcrec.tables.runs import Made, stale_runs


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
            settings = resolve(config, model, dataset)
            code = fingerprint(module_reference(settings))
            expected[dataset, model] = (code, settings.digest())
    stale = stale_runs(records, expected)
    if stale:
        first = stale[0]
        same_code = first.fingerprint == expected[first.dataset, first.model][0]
        raise InputError(
            f"{first.dataset}/{first.model}: one of {len(stale)} runs that other "
            f"{'settings' if same_code else 'code'} made than the present; run them again "
            "(snakemake --forcerun train), or allow them with --any-code"
        )
