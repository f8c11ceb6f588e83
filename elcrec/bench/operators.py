"""What a step is made of: its operators, and those that make the host wait for the device."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch

WAITING = re.compile(
    r"(Memcpy DtoH|cuda(Stream|Device|Event)Synchronize"
    r"|aten::(item|_local_scalar_dense|is_nonzero|nonzero|masked_select|bincount|equal)"
    r"|aten::(_unique2|unique_dim|unique_consecutive))( \(.*)?"
)
"""Operators whose result or whose shape the host has to read from the device, copies to the host,
and waits; a name may go on, e.g. `Memcpy DtoH (Device -> Pinned)`."""

ROWS = 20
"""Operators in the printed table."""


def profile(run: Callable[[int], object], steps: int, device: torch.device) -> dict[str, Any]:
    """Profile groups of steps.

    A group of `steps` and one of twice as many are run, so that what happens once a group (such as
    reading the losses after the last step) is told from what happens in every step.

    Args:
        run: Takes the given number of steps.
        steps: Steps of the smaller group, at least 1.
        device: Where they run.

    Returns:
        `table`: the larger group's operators as text, by their own time; `steps`: how many steps
        that are; `waiting_per_step` and `waiting_per_group`: calls of each of `WAITING` that was
        called, with its caller, empty when the host never waits. On a processor `aten::item (in
        aten::_fused_adam_)` is there for every weight: Adam's step counts lie on the host anyway.
    """
    if device.type == "cuda":  # steps may be captured in graphs when a group is run again
        for count in (steps, steps, 2 * steps):
            run(count)
    few, _ = _profiled(run, steps, device)
    many, table = _profiled(run, 2 * steps, device)
    return {"table": table, "steps": 2 * steps, **waiting(few, many, steps)}


def waiting(few: Mapping[str, int], many: Mapping[str, int], steps: int) -> dict[str, Any]:
    """Tell calls in every step from calls once a group.

    Args:
        few: Calls of each operator in a group of `steps` steps.
        many: The same in a group of twice as many.
        steps: Steps of the smaller group.

    Returns:
        `waiting_per_step` and `waiting_per_group`: calls by operator, without zeros.
    """
    names = [name for name in many if WAITING.fullmatch(name)]
    per_step = {name: (many[name] - few.get(name, 0)) / steps for name in names}
    per_group = {name: many[name] - 2 * steps * count for name, count in per_step.items()}
    return {
        "waiting_per_step": {name: count for name, count in per_step.items() if count},
        "waiting_per_group": {name: count for name, count in per_group.items() if count},
    }


def _profiled(
    run: Callable[[int], object], steps: int, device: torch.device
) -> tuple[Counter[str], str]:
    # One cycle only, nothing to gather from others: without `acc_events` PyTorch warns.
    with torch.profiler.profile(acc_events=True) as profiler:
        run(steps)
    calls = Counter(_with_caller(event) for event in profiler.events())
    averages, own = profiler.key_averages(), f"self_{device.type}_time_total"
    return calls, averages.table(sort_by=own, row_limit=ROWS, max_name_column_width=40)


def _with_caller(event: Any) -> str:
    """Name of an event of the profiler; of one that waits also the operator that called it.

    A call inside another one that waits (`item` calls `_local_scalar_dense`) gets no name: it is
    the same wait.
    """
    caller = event.cpu_parent
    if not WAITING.fullmatch(event.name):
        return str(event.name)
    if caller is None:
        return f"{event.name} (in no operator)"
    return "" if WAITING.fullmatch(caller.name) else f"{event.name} (in {caller.name})"
