"""What `elcrec bench` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from elcrec.bench.growth import MEASURES
from elcrec.tables.layout import GAP, bullets, markdown_table, plain_table
from elcrec.tables.layout import number as decimals

MEASURED = {"step": "s per step", "epoch": "s per epoch", "evaluation": "s per evaluation"}

HOUR = 3600


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
    return plain_table(header, rows, text=2) + _conditions(records)


def _conditions(records: Sequence[dict[str, Any]]) -> str:
    first = records[0]
    counts = {record["steps_per_epoch"] for record in records}
    steps = f"{first['steps_per_epoch']} steps" if len(counts) == 1 else "all steps"
    return (
        f"Median (least–most). Epochs are {first['epoch_is']}: {steps}, what comes before them, "
        f"validation of all users.\n{where(first['environment'])}\n"
    )


def where(environment: dict[str, Any]) -> str:
    """Device, versions, commit and load of a measurement, in a line."""
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
    return plain_table(header, rows) + f"Released code: {which}. " + _conditions([here])


def scale(grown: dict[str, Any]) -> str:
    """Points, exponents and what one GPU can hold."""
    parts = [_growth(name, factor) for name, factor in grown["factors"].items()]
    base = grown["base"]
    points = [base, *(p for f in grown["factors"].values() for p in f["points"])]
    done = [p for p in points if "not_run" not in p]
    most = max(p["score_bytes"] for p in done)
    loads = [p["host_load"] for p in done]
    return (
        "\n".join(parts)
        + f"\nBase: {base['users']:,} users, {base['items']:,} items; one factor at a time. Epochs "
        "are computed from steps and evaluation. Memory: peak above what the process takes without "
        "data. Evaluation MB: what ranking takes at most beside model, data and plan; its scores "
        f"took {most / 1e6:,.1f} MB at most, {base['stated_bytes'] / 1e6:,.1f} MB are stated, "
        "whatever the number of items. Exponents: of all points, and of the three largest, where "
        "constant parts hide less.\n"
        f"{where(grown['about']['environment'])}, {min(loads):.1f} to {max(loads):.1f} at the "
        f"points; {_waiting(grown['about']['waiting'])}\n\n"
        f"{grown['capacity_text']}\n"
    )


def _waiting(variables: dict[str, str | None]) -> str:
    """How OpenMP's threads waited for each other."""
    return (
        ", ".join(f"{name} {value}" for name, value in variables.items() if value)
        or "OpenMP's own waiting"
    )


def _growth(name: str, factor: dict[str, Any]) -> str:
    header = [name, *MEASURED.values(), "memory MB", "evaluation MB"]
    rows, gaps = [], []
    for point in factor["points"]:
        label = f"{point['size']:,}"
        if "not_run" in point:
            rows.append([label, *[GAP] * len(MEASURES)])
            gaps.append(f"{name} {label}: not run: {point['not_run']}\n")
            continue
        seconds = [number(point[key]) for key in MEASURED]
        sizes = [megabytes(point[key]) for key in ("memory_bytes", "evaluation_bytes")]
        rows.append([label, *seconds, *sizes])
    for label, of, key in (
        ("exponent", "fits", "exponent"),
        ("R²", "fits", "r2"),
        ("of the largest", "fits_largest", "exponent"),
    ):
        fits = [factor[of][m] for m in MEASURES]
        rows.append([label, *(decimals(fit[key], 2) if fit else GAP for fit in fits)])
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
