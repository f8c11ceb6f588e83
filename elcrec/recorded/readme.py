"""The README's section of results: what is recorded, beside the paper's and released weights."""

from __future__ import annotations

import io
import math
import tempfile
import textwrap
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from elcrec.config import Config, load_config
from elcrec.errors import InputError
from elcrec.figures import commands as figures
from elcrec.recorded.machine import machines
from elcrec.recorded.unpack import Chosen, extras, unpack
from elcrec.report.claims import judge_all, listed
from elcrec.report.evidence import Evidence
from elcrec.report.expected import band_texts, expected
from elcrec.report.page import CLAIMS
from elcrec.report.verdict import judged_cells, summary
from elcrec.tables import commands as tables
from elcrec.tables.jsonfile import JsonObject
from elcrec.tables.markdown import GAP, bullets, markdown_table, percent, score
from elcrec.tables.verdict import NOT_REPRODUCED, NOT_RUN, REPRODUCED

BEGIN = "<!-- results: written by `elcrec recorded readme` -->"
END = "<!-- end of results -->"
DRAWN = ("ablation", "sensitivity")
"""Figures whose numbers a claim needs."""
METRICS_SHOWN = ("HR@5", "NDCG@5", "HR@20", "NDCG@20")


def put(section: str, readme: str, path: Path) -> str:
    """The README with its section replaced.

    Raises:
        InputError: It has no place for it; the message names `path`.
    """
    if not 0 <= readme.find(BEGIN) < readme.find(END):
        raise InputError(f"{path}: needs the lines {BEGIN} and {END}, between which results go")
    before, rest = readme.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{section}{END}{rest.split(END, 1)[1]}"


def section(config: Config) -> str:
    """The text between the marks, made from the record alone.

    Raises:
        InputError: The record is empty or not whole.
    """
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "recorded.yaml"
        changes = {"runs": "recorded", "output": folder, "recorded": str(config.recorded)}
        own.write_text(yaml.safe_dump(changes), encoding="utf-8")
        return _section(load_config([*_files(config), own]), [*_files(config), own])


def _files(config: Config) -> list[Path]:
    """The files that a configuration was merged from."""
    return [Path(file) for file, _ in config.layers.parts]


def _section(config: Config, files: Sequence[Path]) -> str:
    chosen = unpack(config)
    with redirect_stdout(io.StringIO()):
        _make(config, {"config": list(files), "output": None, "any_code": False})
    evidence = Evidence(config)
    datasets = [d for d in config.use if any(c.run.key[0] == d for c in chosen)]
    parts = [_made_of(config, chosen), *(_table(evidence, dataset) for dataset in datasets)]
    return "\n".join([*parts, _verdict(evidence), _claims(evidence)])


def _make(config: Config, arguments: Mapping[str, Any]) -> None:
    """Make the tables and figures that the section reads, with the arguments of their commands."""
    tables.run_accuracy(Namespace(**arguments))
    tables.run_verdict(Namespace(**arguments))
    tables.run_efficiency(Namespace(**arguments))
    tables.run_released(Namespace(**arguments, files=list(extras(config, "released"))))
    for figure in DRAWN:
        figures.run(Namespace(**arguments, figure=figure, dataset=None))


def _made_of(config: Config, chosen: Sequence[Chosen]) -> str:
    """Which runs there are and what made them."""
    lines = []
    for machine in machines(config.recorded):
        runs = list(machine.runs().values())
        devices = ", ".join(dict.fromkeys(run.metrics["device"].split(" (")[0] for run in runs))
        name, hours = machine.folder.name, sum(run.hours for run in runs)
        gpu = any(run.environment["cuda"] for run in runs)
        lines.append(
            f"[`{name}`](results/recorded/{name}): {len(runs)} run{'s' if len(runs) > 1 else ''},"
            f" {hours:.1f} hours in all, {devices}{'' if gpu else '; no GPU was used'}"
        )
    asked = len(config.use) * len(config.models) * len(config.seeds)
    there = sum(not c.run.variant and c.run.key[1] in config.models for c in chosen)
    return (
        f"Trained here from scratch at the full protocol: {there} of the {asked} runs of"
        f" `snakemake all` (without those of figures).\n\n{bullets(lines)}"
    )


def _table(evidence: Evidence, dataset: str) -> str:
    """The recorded models of a data set: ours, the paper's, the released weights'."""
    name, bands = evidence.dataset_name(dataset), band_texts()
    header = [f"{name}, test", "Seeds", *METRICS_SHOWN, "HR@5 expected"]
    rows = []
    for model in evidence.config.models:
        found = {m: evidence.scores.get((dataset, m, model)) for m in METRICS_SHOWN}
        ours = {metric: value for metric, value in found.items() if value}
        if len(ours) < len(found):
            continue
        shown = evidence.model_name(model)
        means = [score(value.mean) for value in ours.values()]
        seeds = str(ours["HR@5"].seeds)
        rows.append([f"**{shown}**, trained here", seeds, *means, bands.get((name, shown), GAP)])
        if not math.isnan(ours["HR@5"].paper):
            cells = [f"{score(v.paper)} ({percent(v.deviation)})" for v in ours.values()]
            rows.append([f"{shown}, paper (ours against it)", "", *cells, ""])
        if released := _released(evidence, name, shown):
            rows.append([f"{shown}, released weights here", "", *released, ""])
    return markdown_table(header, rows)


def _released(evidence: Evidence, dataset: str, model: str) -> list[str]:
    """What the authors' weights give, metric by metric; empty without a record."""
    found = {
        row.text("metric"): score(row.number("released_weights"))
        for row in evidence.table("released")
        if (row.text("dataset"), row.text("model")) == (dataset, model)
    }
    return [found[metric] for metric in METRICS_SHOWN] if found else []


def _verdict(evidence: Evidence) -> str:
    judged = judged_cells(evidence)
    counted = summary(evidence, judged)
    cells = {count.verdict: count.cells for count in counted.counts}
    run = Counter((c.dataset, c.model) for c in judged.values() if c.verdict != NOT_RUN)
    away = Counter((c.dataset, c.model) for c in judged.values() if c.verdict == NOT_REPRODUCED)
    shown = [f"{d} {m} {n} of {run[d, m]}" for (d, m), n in away.items()]
    text = (
        f"Of the {counted.total} values of the paper's Table 1, {counted.run} have been run;"
        f" reproduced: {cells[REPRODUCED]}, not reproduced: {cells[NOT_REPRODUCED]}"
    )
    text += f" ({listed(shown)})" if shown else ""
    strict = sorted({evidence.model_name(r.text("model")) for r in evidence.runs if _own(r)})
    parts = [f"{text}. {counted.rule}", expected(evidence).evidence]
    if strict:
        parts[0] += f" Ranked without the items seen before, not with 0 for them: {listed(strict)}."
    return "\n".join(map(_wrapped, parts))


def _own(run: JsonObject) -> bool:
    """Whether a run was not ranked by the protocol of the configuration."""
    return run.text("ranked_by") != run.text("protocol")


def _wrapped(text: str, indent: str = "") -> str:
    """Lines of at most 120 characters, all but the first indented."""
    wrapper = textwrap.TextWrapper(120, subsequent_indent=indent, break_on_hyphens=False)
    return wrapper.fill(text) + "\n"


def _claims(evidence: Evidence) -> str:
    """Each claim of the paper, its verdict so far and why."""
    lines = [
        f"**{claim.title}**: {claim.finding.outcome}. {claim.finding.sentence}"
        for claim in judge_all(evidence, CLAIMS)
    ]
    items = (_wrapped(f"- {line}", indent="  ") for line in lines)
    return f"The paper's claims so far:\n\n{''.join(items)}"
