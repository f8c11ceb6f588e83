"""What `elcrec bench` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from elcrec.tables.markdown import GAP, plain_table

MEASURED = {"step": "s per step", "epoch": "s per epoch", "evaluation": "s per evaluation"}


def models(records: Sequence[dict[str, Any]]) -> str:
    """Table of models; a figure is a median with the least and the most in brackets."""
    gpu = any(r["peak_memory"]["cuda_allocated_bytes"] for r in records)
    header = ["model", "data set", *MEASURED.values(), "s before training", "resident MB"]
    header += ["GPU allocated MB", "GPU reserved MB"] if gpu else []
    rows = []
    for record in records:
        seconds, memory = record["seconds"], record["peak_memory"]
        row = [record["name"], record["dataset"]]
        row += [figure(seconds[key]) for key in MEASURED]
        row += [number(seconds["start_training"]), megabytes(memory["resident_bytes"])]
        if gpu:
            row += [megabytes(memory[f"cuda_{kind}_bytes"]) for kind in ("allocated", "reserved")]
        rows.append(row)
    return plain_table(header, rows, text=2) + _conditions(records[0])


def _conditions(record: dict[str, Any]) -> str:
    steps = record["steps_per_epoch"]
    return (
        f"Median (least–most). Epochs are {record['epoch_is']}: {steps} steps, what comes before "
        f"them, validation of all users.\n{_where(record['environment'])}\n"
    )


def _where(environment: dict[str, Any]) -> str:
    head = environment["commit"][:10] if environment["commit"] else "no commit"
    changed = ", changed" if environment["dirty"] else ""
    torch = environment["versions"].get("torch", GAP)
    load = environment["host_load"]
    return f"{environment['device']}; PyTorch {torch}; {head}{changed}; load {load:.1f} at start"


def profiles(records: Sequence[dict[str, Any]]) -> str:
    """Profiles of the models that have one."""
    return "\n".join(_profile(r["name"], r["profile"]) for r in records if "profile" in r)


def _profile(name: str, profile: dict[str, Any] | None) -> str:
    if profile is None:
        return f"{name}: takes no training steps, so there is no profile\n"
    every, once = profile["waiting_per_step"], profile["waiting_per_group"]
    return (
        f"{name}, {profile['steps']} steps:\n{profile['table']}\n"
        f"Operators of {name} that wait for the device or whose shape depends on data:\n"
        f"  in every step: {_calls(every)}\n"
        f"  once a group of steps, whatever their number: {_calls(once)}\n"
    )


def _calls(calls: dict[str, float]) -> str:
    return ", ".join(f"{name} {count:g}" for name, count in sorted(calls.items())) or "none"


def against(found: dict[str, Any]) -> str:
    """The released code beside ours."""
    here, released = found["here"], found["released"]
    rows = [
        [
            label,
            figure(released["seconds"][key]),
            figure(here["seconds"][key]),
            figure(found["ratio"][key]),
        ]
        for key, label in MEASURED.items()
    ]
    start = [r["seconds"]["start_training"] for r in (released, here)]
    rows.append(["s before training", *map(number, start), _quotient(*start)])
    for kind in ("resident", "cuda_allocated", "cuda_reserved"):
        peaks = [r["peak_memory"][f"{kind}_bytes"] for r in (released, here)]
        if all(peaks):
            label = f"{kind.replace('_', ' ')} MB"
            rows.append([label, *map(megabytes, peaks), _quotient(*peaks)])
    header = [f"{here['name']}, {here['dataset']}", "released", "here", "times as much"]
    commit = found["checkout"]["commit"]
    which = f"commit {commit[:10]}" if commit else "a folder without git"
    return plain_table(header, rows) + f"Released code: {which}. " + _conditions(here)


def scale(grown: dict[str, Any]) -> str:
    """Points, exponents and what one GPU can hold."""
    parts = [_growth(name, factor) for name, factor in grown["factors"].items()]
    base = grown["base"]
    points = [base, *(p for f in grown["factors"].values() for p in f["points"])]
    most = max(point.get("score_bytes", 0) for point in points)
    return (
        "\n".join(parts)
        + f"\nBase: {base['users']:,} users, {base['items']:,} items. Epochs are computed from "
        "steps and evaluation. Memory: peak above what the process takes without data"
        f"; scores of an evaluation took {most / 1e6:,.1f} MB at most, "
        f"{base['stated_bytes'] / 1e6:,.1f} MB are stated.\n"
        f"{_where(grown['about']['environment'])}\n\n{grown['capacity_text']}\n"
    )


def _growth(name: str, factor: dict[str, Any]) -> str:
    header = [name, "s per step", "s per epoch", "s per evaluation", "memory, MB"]
    rows, gaps = [], []
    for point in factor["points"]:
        if "not_run" in point:
            gaps.append(f"{name} {point['size']:,}: not run: {point['not_run']}\n")
            continue
        seconds = [number(point[key]) for key in MEASURED]
        rows.append([f"{point['size']:,}", *seconds, megabytes(point["memory_bytes"])])
    for label, key in (("exponent", "exponent"), ("R²", "r2")):
        fits = [factor["fits"][m] for m in (*MEASURED, "memory_bytes")]
        rows.append([label, *(f"{fit[key]:.2f}" if fit else GAP for fit in fits)])
    return plain_table(header, rows) + "".join(gaps)


def figure(spread: dict[str, float] | None) -> str:
    """Median with the least and the most, e.g. `0.352 (0.340–0.371)`."""
    if spread is None:
        return GAP
    least, most = number(spread["min"]), number(spread["max"])
    return f"{number(spread['median'])} ({least}–{most})"


def number(value: float) -> str:
    """Three significant digits without an exponent, e.g. `0.00123`, `12.3`, `1,230`."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.6f}"


def megabytes(count: float | None) -> str:
    """Bytes as MB (10^6)."""
    return GAP if count is None else f"{count / 1e6:,.0f}"


def _quotient(slow: float, fast: float) -> str:
    return f"{slow / fast:.1f}" if fast else GAP
