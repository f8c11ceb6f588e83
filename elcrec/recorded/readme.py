"""What README and docs/results.md say about the results, made from the record alone."""

import io
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from elcrec.config.config import Config
from elcrec.config.names import BASELINE, REFERENCE
from elcrec.errors import InputError
from elcrec.figures import drawn
from elcrec.files.rows import Row
from elcrec.files.words import listed
from elcrec.recorded.calibrate import calibration
from elcrec.recorded.folder import recorded_runs
from elcrec.report import tables, verdict
from elcrec.report.claims import CLAIMS
from elcrec.report.claims.claim import judge_all
from elcrec.report.evidence import Evidence
from elcrec.report.remarks import expected, placed
from elcrec.report.verdict import MARKS, JudgedCells
from elcrec.runs.places import json_files, machines
from elcrec.statistics.power import LEVEL
from elcrec.tables import layout, released, table1_files, tables2_3
from elcrec.tables import verdict as verdicts
from elcrec.tables.document import document
from elcrec.tables.layout import Table, score
from elcrec.tables.table1 import EACH
from elcrec.tables.verdict import CANNOT_TELL, COMPATIBLE, DIFFERS

PARTS = ("verdict", "results")
"""Parts of the README, each between the two lines of `marks(part)`."""
DRAWN = ("ablation", "sensitivity")
"""Figures whose numbers a claim needs."""
WIDTH = 120


def marks(part: str) -> tuple[str, str]:
    """The lines of the README before and after a part."""
    return f"<!-- {part}: written by `elcrec recorded readme` -->", f"<!-- /{part} -->"


def put(part: str, text: str, readme: str, path: Path) -> str:
    """The README with one of its parts replaced.

    Raises:
        InputError: It lacks the lines around the part; the message names `path`.
    """
    first, last = marks(part)
    before, _, after = readme.partition(first)
    _, end_mark, tail = after.partition(last)
    if not end_mark:
        raise InputError(f"{path}: needs the lines {first} and {last} around the results")
    return f"{before}{first}\n{text}{last}{tail}"


def texts(config: Config) -> dict[str, str]:
    """The `PARTS` of the README, and `docs`: the whole of docs/results.md.

    Raises:
        InputError: The record is empty or incomplete.
    """
    with tempfile.TemporaryDirectory() as folder:
        recorded = config.replaced(runs="recorded", output=Path(folder))
        with redirect_stdout(io.StringIO()):
            for table in (table1_files, verdicts, tables2_3):
                table.write(recorded, recorded.output / "tables")
            released.write(recorded, recorded.output / "tables", json_files(recorded, "released"))
            for figure in DRAWN:
                drawn.make(recorded, figure, recorded.output / "figures")
        values = _numbers(Evidence(recorded))
    return {
        part: _wrapped(document(f"{part}.md.j2", "elcrec.recorded", **values))
        for part in (*PARTS, "docs")
    }


def _numbers(evidence: Evidence) -> dict[str, Any]:
    """Variables of the templates: what was run, what it shows, and the tables."""
    config, judged = evidence.config, verdict.judged_cells(evidence)
    run = {dataset: _seeds(evidence, dataset) for dataset in config.use}
    counts = Counter((d, m) for (d, _, m), row in judged.items() if row.text("verdict") == DIFFERS)
    strict = {
        evidence.model_name(run.model) for run in evidence.runs if run.ranked_by != run.protocol
    }
    against_baseline = [
        row
        for row in evidence.table("significance")
        if (row.text("family"), row.text("model_b")) == (EACH, BASELINE)
    ]
    names = evidence.model_name(REFERENCE), evidence.model_name(BASELINE)
    record = {machine.name: recorded_runs(machine) for machine in machines(config.recorded)}
    file_tables = tables.of_files(evidence, {})
    return {
        "there": sum(run.model in config.models for run in evidence.runs),
        "more": sum(run.model not in config.models for runs in record.values() for run in runs),
        "planned": len(config.use) * len(config.models) * len(config.seeds),
        "name": evidence.dataset_name,
        "run": {evidence.dataset_name(d): groups for d, groups in run.items() if groups},
        "waiting": listed([evidence.dataset_name(d) for d in run if not run[d]], 9),
        "machines": record,
        "summary": verdict.summary(judged),
        "marks": ", ".join(f"{MARKS[v]} {v}" for v in (COMPATIBLE, DIFFERS, CANNOT_TELL)),
        "against": list(_against_baseline(against_baseline)),
        "title": " against ".join(names),
        "compared": table1_files.compared(
            against_baseline, evidence, evidence.accuracy_printed, ("First", "Second")
        ),
        "tables": list((results := _results(evidence, judged)).values()),
        "short": [_one_line_each(evidence, judged, *item) for item in results.items()],
        "released": file_tables.get("released"),
        "strict": listed(sorted(strict), 9),
        "away": listed([f"{d} {m} {n}" for (d, m), n in counts.items()], 6),
        "nearest": file_tables.get("nearest"),
        "detectable": file_tables.get("detectable"),
        "never": sum(
            row.number("single_run_percent") > abs(row.number("paper_lead_percent"))
            for row in evidence.table("detectable")
        ),
        "bands": layout.texts(
            ["Data set", "Model", "HR@5", "Expected"],
            map(_band, placed(evidence).to_dict("records")),
            left=2,
        ),
        "expected": expected(evidence).evidence,
        "calibration": calibration(config),
        "claims": judge_all(evidence, CLAIMS),
    }


def _band(row: Mapping[Any, Any]) -> list[str]:
    """A mean and the band in which it was expected."""
    band = f"{score(row['low'])}–{score(row['high'])}"
    return [row["dataset"], row["model"], score(row["mean"]), band]


def _seeds(evidence: Evidence, dataset: str) -> list[str]:
    """Models that were run on a data set, grouped by number of seeds: `3 seeds of BPR-MF`."""
    scores = {m: evidence.scores.get((dataset, "HR@5", m)) for m in evidence.config.models}
    seeds = {evidence.model_name(m): score.seeds for m, score in scores.items() if score}
    return [
        f"{n} seed{'s' * (n > 1)} of {listed([m for m in seeds if seeds[m] == n], 20)}"
        for n in sorted(set(seeds.values()), reverse=True)
    ]


def _against_baseline(compared: Sequence[Row]) -> Iterator[dict[str, str]]:
    """The paper's main comparison, data set by data set: is ELCRec better than ICLRec?"""
    for dataset, rows in groupby(compared, key=lambda row: row.text("dataset")):
        comparisons = list(rows)
        significant = [row for row in comparisons if row.number("p_holm") < LEVEL]
        yield {
            "dataset": dataset,
            "seeds": comparisons[0].text("seeds"),
            "won": listed([r.text("metric") for r in significant if r.number("difference") > 0]),
            "lost": listed([r.text("metric") for r in significant if r.number("difference") <= 0]),
        }


def _results(evidence: Evidence, judged: JudgedCells) -> dict[str, Table]:
    """Table 1 as in the report, for the recorded models, by data set."""
    results: dict[str, Table] = {}
    for dataset, table in zip(
        evidence.config.use, tables.accuracy(evidence, judged, {}), strict=True
    ):
        rows = [row for row in table.rows if any(cell.sort is not None for cell in row)]
        header = [f"{evidence.dataset_name(dataset)}, test", *table.header[1:]]
        results |= {dataset: replace(table, header=header, rows=rows)} if rows else {}
    return results


def _one_line_each(evidence: Evidence, judged: JudgedCells, dataset: str, table: Table) -> Table:
    """The same with one line per model: means, and the printed values with their marks."""
    seeds = {
        evidence.model_name(model): str(score.seeds)
        for (dataset_id, metric, model), score in evidence.scores.items()
        if (dataset_id, metric) == (dataset, table.header[1])
    }
    rows = []
    for model, *cells in table.rows:
        row = [model, layout.Cell(seeds[model.text])]
        for metric, cell in zip(table.header[1:], cells, strict=True):
            entry = judged.get((evidence.dataset_name(dataset), metric, model.text))
            paper = (
                f"{score(entry.number('paper'))} {MARKS[entry.text('verdict')]}" if entry else ""
            )
            row += [replace(cell, note=""), layout.Cell(paper)]
        rows.append(row)
    metrics = [title for metric in table.header[1:] for title in (metric, "paper")]
    return replace(table, header=[table.header[0], "Seeds", *metrics], rows=rows)


def _wrapped(text: str) -> str:
    """The text with no line longer than `WIDTH` except in tables."""
    lines = []
    for line in text.splitlines():
        indent = "  " * line.startswith("- ")
        wrapper = textwrap.TextWrapper(WIDTH, subsequent_indent=indent, break_on_hyphens=False)
        lines.append(line if line[:1] in ("|", "#", "") else wrapper.fill(line))
    return "".join(f"{line}\n" for line in lines)
