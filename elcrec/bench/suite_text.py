"""What `elcrec bench --suite` prints: a Markdown table, and what all runs take."""

from __future__ import annotations

from typing import Any

from elcrec.bench.text import MEASURED, figure, megabytes, number, where
from elcrec.tables.markdown import GAP, bullets, markdown_table

HOUR = 3600


def suite(found: dict[str, Any]) -> str:
    """A row for every data set and model, the sums, and the conditions.

    Args:
        found: What `elcrec.bench.suite.measure_all` returned.
    """
    pairs = found["pairs"]
    done = [p for p in pairs if "not_run" not in p]
    gpu = any(p["peak_memory"]["cuda_allocated_bytes"] for p in done)
    memory = "cuda_allocated_bytes" if gpu else "resident_bytes"
    header = ["Data set", "Model", *MEASURED.values(), "s before training"]
    header += ["GPU allocated MB" if gpu else "Resident MB", "Epochs at most", "h per run at most"]
    rows = [_row(pair, memory) for pair in pairs]
    gaps = [
        f"Not measured: {p['name']} on {p['dataset']}: {p['not_run']}"
        for p in pairs
        if "not_run" in p
    ]
    return f"{markdown_table(header, rows, text=2)}\n{bullets([*_sums(found), *gaps])}"


def _row(pair: dict[str, Any], memory: str) -> list[str]:
    head = [pair["dataset"], pair["name"]]
    if "not_run" in pair:
        return [*head, *[GAP] * (len(MEASURED) + 4)]
    seconds, run = pair["seconds"], pair["run"]
    return [
        *head,
        *(figure(seconds[key]) for key in MEASURED),
        number(seconds["start_training"]),
        megabytes(pair["peak_memory"][memory]),
        f"{run['epochs_most']:,}",
        number(run["most"] / HOUR),
    ]


def _sums(found: dict[str, Any]) -> list[str]:
    total = found["total"]
    environment = next(p["environment"] for p in found["pairs"] if "not_run" not in p)
    gap = f"; not measured and in no sum: {total['missing']}" if total["missing"] else ""
    lines = [
        f"All {total['runs']} runs ({total['seeds']} seeds; one that others start from is a run), "
        f"one after the other: at most {number(total['most'] / HOUR)} h, and at least "
        f"{number(total['least'] / HOUR)} h if early stopping ended each as soon as it may{gap}.",
        "Median (least–most). An epoch is computed: what comes before it, all steps, validation of "
        "all users. A run: data, what comes before training, epochs, the test.",
        where(environment) + ".",
    ]
    if total["measurements"]:
        text = (
            f"The {total['measurements']} measurements for Tables 2 and 3: "
            f"{number(total['measuring'] / HOUR)} h."
        )
        lines.insert(1, text)
    return lines
