"""What README and docs/results.md say of the results, made from the record alone."""

from __future__ import annotations

import io
import math
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from elcrec.config.config import Config, load_config
from elcrec.errors import InputError
from elcrec.figures import drawn
from elcrec.recorded.calibrate import calibration
from elcrec.recorded.machine import machines
from elcrec.recorded.unpack import Chosen, extras, unpack
from elcrec.report.claims import CLAIMS
from elcrec.report.claims.claim import REFERENCE, judge_all, listed
from elcrec.report.evidence import Evidence, Row
from elcrec.report.remarks.expected import expected, placed
from elcrec.report.verdict import (
    MARKS,
    JudgedCells,
    detectable_table,
    judged_cells,
    nearest_table,
    summary,
)
from elcrec.statistics.power import LEVEL
from elcrec.tables import layout, released, table1_files, tables2_3_files, verdict
from elcrec.tables.document import document
from elcrec.tables.layout import Table, number, p_value, percent, score
from elcrec.tables.stopping import marks
from elcrec.tables.table1 import EACH
from elcrec.tables.tables2_3 import BASELINE
from elcrec.tables.verdict import DIFFERS, NOT_RUN

PARTS = ("verdict", "results")
"""Of the README: what stands between the lines `begin(part)` and `end(part)`."""
DRAWN = ("ablation", "sensitivity")
"""Figures whose numbers a claim needs."""
METRICS_SHOWN = ("HR@5", "NDCG@5", "HR@20", "NDCG@20")
WIDTH = 120


def begin(part: str) -> str:
    """The line of the README before a part."""
    return f"<!-- {part}: written by `elcrec recorded readme` -->"


def end(part: str) -> str:
    """The line after it."""
    return f"<!-- /{part} -->"


def put(part: str, text: str, readme: str, path: Path) -> str:
    """The README with one of its parts replaced.

    Raises:
        InputError: It has no place for it; the message names `path`.
    """
    first, last = begin(part), end(part)
    if not 0 <= readme.find(first) < readme.find(last):
        raise InputError(f"{path}: needs the lines {first} and {last}, between which results go")
    before, rest = readme.split(first, 1)
    return f"{before}{first}\n{text}{last}{rest.split(last, 1)[1]}"


def texts(config: Config) -> dict[str, str]:
    """The `PARTS` of the README, and `docs`: the whole of docs/results.md.

    Raises:
        InputError: The record is empty or not whole.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "recorded.yaml"
        changes = {"runs": "recorded", "output": folder, "recorded": str(config.recorded)}
        own.write_text(yaml.safe_dump(changes), encoding="utf-8")
        files = [Path(file) for file, _ in config.layers.parts]
        return _texts(load_config([*files, own]))


def _texts(config: Config) -> dict[str, str]:
    chosen = unpack(config)
    with redirect_stdout(io.StringIO()):
        _make(config)
    evidence = Evidence(config)
    judged = judged_cells(evidence)
    values = _numbers(evidence, judged, chosen) | _details(evidence, judged)
    return {
        part: _wrapped(document(f"{part}.md.j2", "elcrec.recorded", **values))
        for part in (*PARTS, "docs")
    }


def _make(config: Config) -> None:
    """Make the tables and figures that the texts are made of."""
    folder = config.output / "tables"
    for table in (table1_files, verdict, tables2_3_files):
        table.write(config, folder)
    released.write(config, folder, list(extras(config, "released")))
    for figure in DRAWN:
        drawn.make(config, figure, config.output / "figures")


def _numbers(evidence: Evidence, judged: JudgedCells, chosen: Sequence[Chosen]) -> dict[str, Any]:
    """What the README says: what was run, and what it decides."""
    config = evidence.config
    run = {d: _seeds(evidence, d) for d in config.use}
    return {
        "there": sum(not c.run.variant and c.run.key[1] in config.models for c in chosen),
        "asked": len(config.use) * len(config.models) * len(config.seeds),
        "run": {evidence.dataset_name(d): groups for d, groups in run.items() if groups},
        "waiting": listed([evidence.dataset_name(d) for d in run if not run[d]], 9),
        "summary": summary(judged),
        "against": list(_against_baseline(evidence)),
        "tables": [_table(evidence, dataset, judged) for dataset in run if run[dataset]],
        "marks": {v: mark for v, mark in MARKS.items() if v != NOT_RUN},
    }


def _details(evidence: Evidence, judged: JudgedCells) -> dict[str, Any]:
    """What docs/results.md says besides."""
    away = Counter((d, m) for (d, _, m), row in judged.items() if row.text("verdict") == DIFFERS)
    strict = {
        evidence.model_name(run.text("model"))
        for run in evidence.runs
        if run.text("ranked_by") != run.text("protocol")
    }
    never = [
        row
        for row in evidence.table("detectable")
        if row.number("single_run_percent") > abs(row.number("paper_lead_percent"))
    ]
    bands = [
        [p.dataset, p.model, score(p.score.mean), f"{score(p.low)}–{score(p.high)}"]
        for p in placed(evidence)
    ]
    return {
        "machines": list(_machines(evidence.config)),
        "strict": listed(sorted(strict), 9),
        "away": listed([f"{d} {m} {n}" for (d, m), n in away.items()], 6),
        "nearest": nearest_table(evidence),
        "bands": layout.texts(["Data set", "Model", "HR@5", "Expected"], bands, 2),
        "expected": expected(evidence).evidence,
        "detectable": detectable_table(evidence),
        "never": len(never),
        "calibration": calibration(evidence.config),
        "claims": judge_all(evidence, CLAIMS),
    }


def _seeds(evidence: Evidence, dataset: str) -> list[str]:
    """Which models were run on a data set, by their number of seeds: `3 seeds of BPR-MF`."""
    found = {m: evidence.scores.get((dataset, "HR@5", m)) for m in evidence.config.models}
    seeds = {evidence.model_name(m): ours.seeds for m, ours in found.items() if ours}
    return [
        f"{n} seed{'s' * (n > 1)} of {listed([m for m in seeds if seeds[m] == n], 20)}"
        for n in sorted(set(seeds.values()), reverse=True)
    ]


def _machines(config: Config) -> Iterator[dict[str, Any]]:
    """What each machine has run."""
    for machine in machines(config.recorded):
        runs = list(machine.runs().values())
        devices = dict.fromkeys(run.metrics["device"].split(" (")[0] for run in runs)
        yield {
            "name": machine.folder.name,
            "runs": len(runs),
            "hours": sum(run.hours for run in runs),
            "devices": ", ".join(devices),
            "gpu": any(run.environment["cuda"] for run in runs),
        }


def _against_baseline(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """The paper's main comparison, data set by data set: is ELCRec better than ICLRec?"""
    rows: dict[str, list[Row]] = {}
    for row in evidence.table("significance"):
        pair = row.text("family"), row.text("model_a"), row.text("model_b")
        if pair == (EACH, REFERENCE, BASELINE):
            rows.setdefault(row.text("dataset"), []).append(row)
    limits = {(r.text("dataset"), r.text("metric")): r for r in evidence.table("detectable")}
    for dataset, found in rows.items():
        certain = [row for row in found if row.number("p_holm") < LEVEL]
        won = [row.text("metric") for row in certain if row.number("difference") > 0]
        lost = [row.text("metric") for row in certain if row.number("difference") <= 0]
        outcome = f"significantly above on {listed(won) or 'none'}, below on"
        outcome += f" {listed(lost) or 'none'} of the metrics"
        yield {
            "title": " against ".join(evidence.model_name(m) for m in (REFERENCE, BASELINE)),
            "dataset": evidence.dataset_name(dataset),
            "seeds": found[0].text("seeds"),
            "outcome": outcome if certain else "no significant difference on any metric",
            "metrics": [_metric(row, limits.get((dataset, row.text("metric")))) for row in found],
        }


def _metric(row: Row, limit: Row | None) -> str:
    """A difference with its interval and p-value, and what the design could have detected."""
    ends = (row.number(f"difference_{end}95") for end in ("low", "high"))
    low, high = (percent(100 * end / row.number("mean_b")) for end in ends)
    lead = percent(row.number("relative_difference_percent"))
    text = f"{row.text('metric')} {lead} [{low}, {high}], p {p_value(row.number('p_holm'))}"
    if limit is None:
        return text
    printed, design = (
        number(limit.number(f"{key}_percent"), 1) for key in ("paper_lead", "design")
    )
    return f"{text} (printed lead {printed} %, all seeds detect {design} %)"


def _table(evidence: Evidence, dataset: str, judged: JudgedCells) -> Table:
    """The recorded models of a data set: ours, the paper's, the released weights'."""
    name = evidence.dataset_name(dataset)
    rows = []
    for model in evidence.config.models:
        found = {m: evidence.scores.get((dataset, m, model)) for m in METRICS_SHOWN}
        ours = {metric: value for metric, value in found.items() if value}
        if len(ours) < len(found):
            continue
        shown = evidence.model_name(model)
        first = ours[METRICS_SHOWN[0]]
        seeds = f"{first.seeds} {marks(first.stopping)}".strip()
        means = [score(value.mean) for value in ours.values()]
        rows.append([f"**{shown}**, trained here", seeds, *means])
        if not math.isnan(first.paper):
            cells = [
                f"{score(v.paper)} ({percent(v.deviation)}) {_mark(judged, (name, metric, shown))}"
                for metric, v in ours.items()
            ]
            rows.append([f"{shown}, paper (ours against it)", "", *cells])
        weights = {
            row.text("metric"): score(row.number("released_weights"))
            for row in evidence.table("released")
            if (row.text("dataset"), row.text("model")) == (name, shown)
        }
        if weights:
            cells = [weights[metric] for metric in METRICS_SHOWN]
            rows.append([f"{shown}, released weights here", "", *cells])
    return layout.texts([f"{name}, test", "Seeds", *METRICS_SHOWN], rows)


def _mark(judged: JudgedCells, key: tuple[str, str, str]) -> str:
    return MARKS[judged[key].text("verdict")] if key in judged else ""


def _wrapped(text: str) -> str:
    """The text with no line longer than `WIDTH` but those of tables."""
    return "".join(
        textwrap.fill(line, WIDTH, subsequent_indent="  " * line.startswith("- ")) + "\n"
        if line and line[0] not in "|#<"
        else f"{line}\n"
        for line in text.splitlines()
    )
