"""What a step is made of: its operators, and those that make the host wait for the device."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch

WAITING = re.compile(
    r"(Memcpy DtoH|cuda(Stream|Device|Event)Synchronize"
    r"|aten::(item|_local_scalar_dense|is_nonzero|nonzero|masked_select|bincount|equal)"
    r"|aten::(_unique2|unique_dim|unique_consecutive))( \(.*)?"
)
"""Operators whose result or shape the host must read from the device, copies to the host, and
synchronisations; a name may have a suffix, e.g. `Memcpy DtoH (Device -> Pinned)`."""

ROWS = 20
"""Operators in the printed table."""


def profile(step: Callable[[], object], steps: int, device: torch.device) -> dict[str, Any]:
    """Profile some steps.

    Args:
        step: Takes a step.
        steps: How many.
        device: Where they run.

    Returns:
        `table`: operators as text, by their own time; `steps`; `waiting_per_step`: calls of each
        operator in `WAITING`, with its caller; empty when the host never waits. On a CPU
        `aten::item (in aten::_fused_adam_)` appears for every weight: Adam's step counts are on
        the host anyway.
    """
    # There is only one cycle, so nothing is accumulated; without `acc_events` PyTorch warns.
    with torch.profiler.profile(acc_events=True) as profiler:
        for _ in range(steps):
            step()
    calls = Counter(_with_caller(event) for event in profiler.events())
    averages, sort_key = profiler.key_averages(), f"self_{device.type}_time_total"
    waits = {name: count / steps for name, count in calls.items() if WAITING.fullmatch(name)}
    table = averages.table(sort_by=sort_key, row_limit=ROWS, max_name_column_width=40)
    return {"table": table, "steps": steps, "waiting_per_step": waits}


def _with_caller(event: Any) -> str:
    """Name of a profiler event; for one that waits, with the operator that called it.

    A call inside another one that waits (`item` calls `_local_scalar_dense`) gets no name: it is
    the same wait.
    """
    caller = event.cpu_parent
    if not WAITING.fullmatch(event.name):
        return str(event.name)
    if caller is None:
        return f"{event.name} (in no operator)"
    return "" if WAITING.fullmatch(caller.name) else f"{event.name} (in {caller.name})"
