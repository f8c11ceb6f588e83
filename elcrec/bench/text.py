"""What `elcrec bench` prints: tables here, the words around them in `templates/`."""

from collections.abc import Sequence
from typing import Any

from elcrec.tables.document import document
from elcrec.tables.layout import GAP, Table, number, texts

SECONDS = {"step": "s per step", "epoch": "s per epoch", "evaluation": "s per evaluation"}
MEMORY = {
    "resident_bytes": "resident MB",
    "cuda_allocated_bytes": "GPU allocated MB",
    "cuda_reserved_bytes": "GPU reserved MB",
}
HOUR = 3600


def models(results: dict[str, Any]) -> str:
    """A row for every model on a data set, the sums of a suite, conditions, profiles.

    Args:
        results: `models`, as from `elcrec.bench.suite.measure_all`, and for a suite `total`.
    """
    measured = [record for record in results["models"] if "not_run" not in record]
    total = dict(results.get("total", {}))
    total |= {k: short(total[k] / HOUR) for k in ("most", "least", "measuring") if total}
    text = _document(
        "models.md.j2",
        table=_table([_row(record) for record in results["models"]]),
        total=total,
        first=measured[0],
        gaps=[record for record in results["models"] if "not_run" in record],
    )
    return text + "".join(_profile(r["name"], r["profile"]) for r in measured if "profile" in r)


def served(results: dict[str, Any]) -> str:
    """A row for every model that `elcrec.bench.serve` measured, and conditions."""
    rows = []
    for record in results["models"]:
        row = {"model": record["name"], "data set": record["dataset"]}
        if "not_run" not in record:
            row |= {"ms per request": short(1000 * record["latency"])}
            row |= {"95 % within ms": short(1000 * record["latency95"])}
            row |= {"users per s": number(record["per_second"], 0)}
            row |= {"parameters": number(record["parameters"], 0)}
            row |= {"MB": megabytes(record["bytes"])}
        rows.append(row)
    gaps = [record for record in results["models"] if "not_run" in record]
    return _document("serve.md.j2", table=_table(rows), gaps=gaps, **results)


def against(results: dict[str, Any]) -> str:
    """Other code beside ours."""
    ours, peer = results["here"], results["peer"]
    times = {label: figure(results["ratio"][key]) for key, label in SECONDS.items()}
    rows = [_row(peer), _row(ours), {"model": "times as long", "data set": "", **times}]
    return _document("against.md.j2", table=_table(rows), first=ours, peer=peer)


def scale(record: dict[str, Any]) -> str:
    """Points, exponents, and what was not run."""
    rows = []
    for factor, exponents in record["exponents"].items():
        for point in (point for point in record["points"] if point["factor"] == factor):
            row = {"factor": factor, "size": f"{point['size']:,}"}
            if "not_run" not in point:
                row |= {label: short(point[key]) for key, label in SECONDS.items()}
                row["memory MB"] = megabytes(point["memory_bytes"])
            rows.append(row)
        fitted = zip((*SECONDS.values(), "memory MB"), exponents.values(), strict=True)
        rows.append({"factor": factor, "size": "exponent", **{n: number(x, 2) for n, x in fitted}})
    return _document("scale.md.j2", table=_table(rows), first=record["about"], **record)


def _document(template: str, **values: Any) -> str:
    return document(template, "elcrec.bench", **values)


def _table(rows: Sequence[dict[str, str]]) -> Table:
    """Rows as a table with all their columns, the first two of text."""
    header = list(dict.fromkeys(column for row in rows for column in row))
    return texts(header, [[row.get(column, GAP) for column in header] for row in rows], left=2)


def _row(record: dict[str, Any]) -> dict[str, str]:
    """Cells by column; none for what was not measured."""
    row = {"model": record["name"], "data set": record["dataset"]}
    if "not_run" in record:
        return row
    seconds = record["seconds"]
    row |= {label: figure(seconds[key]) for key, label in SECONDS.items()}
    row["s before training"] = short(seconds["start_training"])
    peaks = {label: record["peak_memory"].get(key) for key, label in MEMORY.items()}
    row |= {label: megabytes(peak) for label, peak in peaks.items() if peak}
    if "run" in record:
        row["epochs at most"] = f"{record['run']['epochs_most']:,}"
        row["h per run at most"] = short(record["run"]["most"] / HOUR)
    return row


def _profile(name: str, profile: dict[str, Any] | None) -> str:
    if profile is None:
        return f"\n{name}: takes no training steps, so there is no profile\n"
    waits = [f"{name} {count:g}" for name, count in sorted(profile["waiting_per_step"].items())]
    return (
        f"\n{name}, {profile['steps']} steps:\n{profile['table']}\n"
        f"Operators of {name} that wait for the device or whose shape depends on data, with their"
        f" calls per step: {', '.join(waits) or 'none'}\n"
    )


def figure(spread: dict[str, float] | None) -> str:
    """Median with minimum and maximum, e.g. `0.352 (0.340–0.371)`."""
    if spread is None:
        return GAP
    least, most = short(spread["min"]), short(spread["max"])
    return f"{short(spread['median'])} ({least}–{most})"


def short(value: float) -> str:
    """Three significant digits without an exponent, e.g. `0.00123`, `12.3`, `1,230`."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.6f}"


def megabytes(count: float) -> str:
    """Bytes as MB (10^6)."""
    return f"{count / 1e6:,.0f}"
