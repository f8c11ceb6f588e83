"""What `elcrec bench` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tabulate import tabulate

SECONDS = {"step": "s per step", "epoch": "s per epoch", "evaluation": "s per evaluation"}
GAP = "–"
HOUR = 3600


def models(found: dict[str, Any]) -> str:
    """A row for every model on a data set, the sums of a suite, conditions, profiles.

    Args:
        found: `models`, as `elcrec.bench.suite.measure_all` gives them, and for a suite `total`.
    """
    done = [r for r in found["models"] if "not_run" not in r]
    lines = _sums(found["total"]) if "total" in found else []
    lines += _conditions(done[0])
    for record in found["models"]:
        if "not_run" in record:
            where = f"{record['name']} on {record['dataset']}"
            lines.append(f"Not measured: {where}: {record['not_run']}")
    profiles = [_profile(r["name"], r["profile"]) for r in done if "profile" in r]
    return _page(map(_row, found["models"]), lines) + "".join(profiles)


def against(found: dict[str, Any]) -> str:
    """Other code beside ours."""
    here, peer = found["here"], found["peer"]
    times = {label: figure(found["ratio"][key]) for key, label in SECONDS.items()}
    rows = [_row(peer), _row(here), {"model": "times as much", "data set": "", **times}]
    which = f"commit {peer['commit'][:10]}" if peer["commit"] else "a folder without git"
    return _page(rows, [f"{peer['name']}: {which}.", *_conditions(here)])


def scale(grown: dict[str, Any]) -> str:
    """Points, exponents, and what was not run."""
    rows: list[dict[str, str]] = []
    lines = [
        f"Base: {grown['base']['users']:,} users, {grown['base']['items']:,} items; one factor at "
        "a time. Epochs are computed from steps and evaluation. Memory: peak above what the "
        "process takes without data. Exponents: of the three largest, where constants hide less.",
        _where(grown["about"]["environment"]),
    ]
    for factor, growth in grown["factors"].items():
        for point in growth["points"]:
            row = {"factor": factor, "size": f"{point['size']:,}"}
            if "not_run" in point:
                lines.append(f"{factor} {row['size']}: not run: {point['not_run']}")
            else:
                row |= {label: number(point[key]) for key, label in SECONDS.items()}
                row["memory MB"] = megabytes(point["memory_bytes"])
            rows.append(row)
        fits = zip([*SECONDS.values(), "memory MB"], growth["fits"].values(), strict=True)
        known = {name: f"{fit['exponent']:.2f}" for name, fit in fits if fit}
        rows.append({"factor": factor, "size": "exponent", **known})
    return _page(rows, lines)


def _row(record: dict[str, Any]) -> dict[str, str]:
    """Cells by column; none of what was not measured."""
    row = {"model": record["name"], "data set": record["dataset"]}
    if "not_run" in record:
        return row
    seconds = record["seconds"]
    row |= {label: figure(seconds[key]) for key, label in SECONDS.items()}
    row["s before training"] = number(seconds["start_training"])
    for kind in ("resident", "cuda_allocated", "cuda_reserved"):
        if peak := record["peak_memory"].get(f"{kind}_bytes"):
            row[f"{kind.replace('cuda', 'GPU').replace('_', ' ')} MB"] = megabytes(peak)
    if "run" in record:
        row["epochs at most"] = f"{record['run']['epochs_most']:,}"
        row["h per run at most"] = number(record["run"]["most"] / HOUR)
    return row


def _sums(total: dict[str, Any]) -> list[str]:
    most, least, measuring = (number(total[k] / HOUR) for k in ("most", "least", "measuring"))
    gap = f"; not measured and in no sum: {total['missing']}" if total["missing"] else ""
    runs = (
        f"All {total['runs']} runs ({total['seeds']} seeds; one that others start from is a run), "
        f"one after the other: at most {most} h, and at least {least} h if early stopping ended "
        f"each as soon as it may{gap}."
    )
    return [runs, f"The {total['measurements']} measurements for Tables 2 and 3: {measuring} h."]


def _conditions(record: dict[str, Any]) -> list[str]:
    return [
        f"Median (least–most). An epoch is {record['epoch_is']}: what comes before it, all steps, "
        "validation of all users. A run: data, what comes before training, epochs, the test.",
        _where(record["environment"]),
    ]


def _where(environment: dict[str, Any]) -> str:
    """Device, versions, commit and load of a measurement, in a line."""
    head = environment["commit"][:10] if environment["commit"] else "no commit"
    changed = ", changed" if environment["dirty"] else ""
    torch = environment["versions"].get("torch", GAP)
    load = environment["host_load"]
    return f"{environment['device']}; PyTorch {torch}; {head}{changed}; load {load:.1f} at start."


def _profile(name: str, profile: dict[str, Any] | None) -> str:
    if profile is None:
        return f"\n{name}: takes no training steps, so there is no profile\n"
    return (
        f"\n{name}, {profile['steps']} steps:\n{profile['table']}\n"
        f"Operators of {name} that wait for the device or whose shape depends on data:\n"
        f"  in every step: {_calls(profile['waiting_per_step'])}\n"
        f"  once a group of steps, whatever their number: {_calls(profile['waiting_per_group'])}\n"
    )


def _calls(calls: dict[str, float]) -> str:
    return ", ".join(f"{name} {count:g}" for name, count in sorted(calls.items())) or "none"


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


def megabytes(count: float) -> str:
    """Bytes as MB (10^6)."""
    return f"{count / 1e6:,.0f}"


def _page(rows: Iterable[dict[str, str]], lines: Iterable[str]) -> str:
    """A Markdown table, its first two columns text, the others figures; and a list."""
    body = list(rows)
    align = ["left", "left"] + ["right"] * (max(map(len, body)) - 2)
    table = tabulate(body, "keys", "pipe", disable_numparse=True, missingval=GAP, colalign=align)
    return table + "\n\n" + "".join(f"- {line}\n" for line in lines)
