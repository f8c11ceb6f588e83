"""The README's section of results: what is recorded, beside the paper's and released weights."""

from __future__ import annotations

import io
import math
import tempfile
import textwrap
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import yaml

from elcrec.config.config import Config, load_config
from elcrec.errors import InputError
from elcrec.figures import drawn
from elcrec.files.jsonfile import JsonObject
from elcrec.recorded.calibrate import calibration
from elcrec.recorded.folder import recorded_runs
from elcrec.report.claims import CLAIMS
from elcrec.report.claims.claim import REFERENCE, judge_all, listed
from elcrec.report.evidence import Evidence
from elcrec.report.remarks.expected import band_texts, expected
from elcrec.report.verdict import MARKS, JudgedCells, judged_cells, summary
from elcrec.runs.places import json_files, machines
from elcrec.statistics.power import LEVEL
from elcrec.tables import released, table1_files, tables2_3_files, verdict_files
from elcrec.tables.detectable import EXPLANATION, SEEDS, seeds_text
from elcrec.tables.layout import GAP, bullets, markdown_table, number, p_value, percent, score
from elcrec.tables.stopping import MEANING, marks
from elcrec.tables.table1 import EACH
from elcrec.tables.tables2_3 import BASELINE
from elcrec.tables.verdict import CANNOT_TELL, COMPATIBLE, DIFFERS, NOT_RUN, RULE, VERDICTS

BEGIN = "<!-- results: written by `elcrec recorded readme` -->"
END = "<!-- end of results -->"
DRAWN = ("ablation", "sensitivity")
"""Figures whose numbers a claim needs."""
WORDS = {DIFFERS: "differ", CANNOT_TELL: "cannot be decided", COMPATIBLE: "are compatible"}
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
        return _section(load_config([*_files(config), own]))


def _files(config: Config) -> list[Path]:
    """The files that a configuration was merged from."""
    return [Path(file) for file, _ in config.layers.parts]


def _section(config: Config) -> str:
    with redirect_stdout(io.StringIO()):
        _make(config)
    evidence = Evidence(config)
    judged = judged_cells(evidence)
    datasets = [d for d in config.use if any(r.text("dataset") == d for r in evidence.runs)]
    parts = [_decided(evidence, judged), _made_of(config, evidence.runs)]
    parts += [_table(evidence, dataset, judged) for dataset in datasets]
    parts += [_rules(evidence), _power(evidence), calibration(config), _claims(evidence)]
    return "\n".join(filter(None, parts))


def _make(config: Config) -> None:
    """Make the tables and figures that the section reads."""
    folder = config.output / "tables"
    table1_files.write(config, folder)
    verdict_files.write(config, folder)
    tables2_3_files.write(config, folder)
    released.write(config, folder, json_files(config, "released"))
    for figure in DRAWN:
        drawn.make(config, figure, config.output / "figures")


def _decided(evidence: Evidence, judged: JudgedCells) -> str:
    """What was run, with how many seeds, and what it decides, in a few lines."""
    config = evidence.config
    run, waiting = [], []
    for dataset in config.use:
        scores = {m: evidence.scores.get((dataset, METRICS_SHOWN[0], m)) for m in config.models}
        seeds = {evidence.model_name(m): score.seeds for m, score in scores.items() if score}
        groups = [
            f"{n} seed{'s' if n > 1 else ''} of {listed([m for m in seeds if seeds[m] == n], 20)}"
            for n in sorted(set(seeds.values()), reverse=True)
        ]
        name = evidence.dataset_name(dataset)
        if groups:
            run.append(f"{name}: {'; '.join(groups)}")
        else:
            waiting.append(name)
    counted = summary(judged)
    cells = [f"{c.cells} {WORDS[c.verdict]}" for c in counted.counts if c.verdict in WORDS]
    away = Counter((c.dataset, c.model) for c in judged.values() if c.verdict == DIFFERS)
    shown = listed([f"{d} {m} {n}" for (d, m), n in away.items()], 6)
    text = f"**Run so far**, of {len(config.models)} models with {len(config.seeds)} seeds each on"
    text += f" {len(config.use)} data sets. {'. '.join(run)}."
    text += f" Not yet run: {listed(waiting, 9)}." if waiting else ""
    verdicts = f"**Printed values.** Of {counted.total}, {counted.run} have runs of ours:"
    verdicts += f" {listed(cells)}{f' (differing: {shown})' if shown else ''}."
    verdicts += f" {counted.provisional} of these verdicts are provisional, for seeds are missing."
    return "\n".join(map(_wrapped, [text, verdicts, *_against_baseline(evidence)]))


def _against_baseline(evidence: Evidence) -> list[str]:
    """The paper's main comparison, data set by data set: is ELCRec better than ICLRec?"""
    lines = []
    for dataset in evidence.config.use:
        rows = [
            row
            for row in evidence.table("significance")
            if (row.text("dataset"), row.text("model_a"), row.text("model_b"))
            == (dataset, REFERENCE, BASELINE)
            and row.text("family") == EACH
        ]
        if not rows:
            continue
        detectable = {
            row.text("metric"): row
            for row in evidence.table("detectable")
            if row.text("dataset") == dataset
        }
        found: list[str] = []
        won: list[str] = []
        lost: list[str] = []
        for row in rows:
            metric, base = row.text("metric"), row.number("mean_b")
            ends = (row.number(f"difference_{end}95") for end in ("low", "high"))
            low, high = (percent(100 * end / base) for end in ends)
            lead = percent(row.number("relative_difference_percent"))
            text = f"{metric} {lead} [{low}, {high}], p {p_value(row.number('p_holm'))}"
            if metric in detectable:
                limit = number(detectable[metric].number("design_percent"), 1)
                printed = number(detectable[metric].number("paper_lead_percent"), 1)
                text += f" (printed lead {printed} %, all seeds detect {limit} %)"
            found.append(text)
            if row.number("p_holm") < LEVEL:
                (won if row.number("difference") > 0 else lost).append(metric)
        outcome = "No significant difference on any metric"
        if won or lost:
            outcome = f"Significantly above on {listed(won) or 'none'}, below on"
            outcome += f" {listed(lost) or 'none'}"
        names = " against ".join(evidence.model_name(m) for m in (REFERENCE, BASELINE))
        lines.append(
            f"**{names} on {evidence.dataset_name(dataset)}** ({rows[0].text('seeds')} seeds)."
            f" {outcome}. {'; '.join(found)}. In brackets the 95 % interval over users and"
            " trainings, not corrected; p is Holm-corrected over all comparisons of ELCRec."
        )
    return lines


def _made_of(config: Config, shown: Sequence[JsonObject]) -> str:
    """Which runs there are and what made them."""
    lines = []
    for machine in machines(config.recorded):
        runs = recorded_runs(machine)
        devices = ", ".join(dict.fromkeys(r.metrics.text("device").split(" (")[0] for r in runs))
        name, hours = machine.name, sum(run.hours for run in runs)
        gpu = any(run.environment.optional_text("cuda") for run in runs)
        lines.append(
            f"[`{name}`](results/recorded/{name}): {len(runs)} run{'s' if len(runs) > 1 else ''},"
            f" {hours:.1f} hours in all, {devices}{'' if gpu else '; no GPU was used'}"
        )
    asked = len(config.use) * len(config.models) * len(config.seeds)
    tables = [r for r in shown if r.text("dataset") in config.use]  # without the optional ones
    there = sum(run.text("model") in config.models for run in tables)
    return (
        f"Trained here from scratch at the full protocol: {there} of the {asked} runs of"
        f" `snakemake all` (without those of figures).\n\n{bullets(lines)}"
    )


def _table(evidence: Evidence, dataset: str, judged: JudgedCells) -> str:
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
        seeds = f"{ours['HR@5'].seeds} {marks(ours['HR@5'].stopping)}".strip()
        rows.append([f"**{shown}**, trained here", seeds, *means, bands.get((name, shown), GAP)])
        if not math.isnan(ours["HR@5"].paper):
            cells = [
                f"{score(v.paper)} ({percent(v.deviation)}) {_mark(judged, name, metric, shown)}"
                for metric, v in ours.items()
            ]
            rows.append([f"{shown}, paper (ours against it)", "", *cells, ""])
        if released := _released(evidence, name, shown):
            rows.append([f"{shown}, released weights here", "", *released, ""])
    return markdown_table(header, rows)


def _mark(judged: JudgedCells, dataset: str, metric: str, model: str) -> str:
    cell = judged.get((dataset, metric, model))
    return MARKS[cell.verdict] if cell else ""


def _released(evidence: Evidence, dataset: str, model: str) -> list[str]:
    """What the authors' weights give, metric by metric; empty without a record."""
    found = {
        row.text("metric"): score(row.number("released_weights"))
        for row in evidence.table("released")
        if (row.text("dataset"), row.text("model")) == (dataset, model)
    }
    return [found[metric] for metric in METRICS_SHOWN] if found else []


def _rules(evidence: Evidence) -> str:
    """What the marks of the table mean, and whether they can tell anything."""
    legend = ", ".join(f"{MARKS[v]} {v}" for v in VERDICTS if v != NOT_RUN)
    strict = sorted({evidence.model_name(r.text("model")) for r in evidence.runs if _own(r)})
    parts = [f"{legend}. {RULE} {MEANING}"]
    if strict:
        parts[0] += (
            " Items seen before are left out of the ranking, instead of scoring 0, for:"
            f" {listed(strict, 9)}."
        )
    near = evidence.table("nearest")
    own = [row for row in near if row.text("model") == evidence.model_name(REFERENCE)]
    parts += [
        f"Our ELCRec on {row.text('dataset')} lies nearest to the printed {row.text('nearest')}"
        f" (distance {row.number('distance'):.2f} standard errors of prediction; to the printed"
        f" ELCRec {row.number('own_distance'):.2f})."
        for row in own
    ]
    if near:
        found = [
            f"{row.text('model')} ({row.text('dataset')}): {row.text('not_excluded') or 'none'}"
            for row in near
        ]
        parts.append(f"Printed columns that our runs do not exclude. {'; '.join(found)}.")
    return "\n".join(map(_wrapped, [*parts, expected(evidence).evidence]))


def _own(run: JsonObject) -> bool:
    """Whether a run was not ranked by the protocol of the configuration."""
    return run.text("ranked_by") != run.text("protocol")


def _wrapped(text: str, indent: str = "") -> str:
    """Lines of at most 120 characters, all but the first indented."""
    wrapper = textwrap.TextWrapper(120, subsequent_indent=indent, break_on_hyphens=False)
    return wrapper.fill(text) + "\n"


def _power(evidence: Evidence) -> str:
    """Which leads the design detects, and the seeds that the paper's need."""
    rows = evidence.table("detectable")
    if not rows:
        return ""
    header = ["Detectable lead (%)", "Noise (df)"]
    header += [f"{n} seed{'s' if n > 1 else ''}" for n in SEEDS]
    header += [f"{rows[0].integer('design_seeds')}, Holm", "Paper's lead", "Seeds it needs"]
    header += ["Single run"]
    body = []
    for row in rows:
        needed = row.text("seeds_needed")
        seeds = seeds_text(row.text("seeds_needed_least"), needed) if needed else GAP
        leads = [number(row.number(f"lead_at_{n}_percent"), 1) for n in SEEDS]
        leads += [number(row.number(f"{k}_percent"), 1) for k in ("design_holm", "paper_lead")]
        where = f"{evidence.dataset_name(row.text('dataset'))} {row.text('metric')}"
        noise = f"{row.number('noise_percent'):.1f} ({row.number('freedom'):.1f})"
        body.append([where, noise, *leads, seeds, number(row.number("single_run_percent"), 1)])
    never = [
        r for r in rows if r.number("single_run_percent") > abs(r.number("paper_lead_percent"))
    ]
    text = EXPLANATION
    if never:
        text += (
            f" On {len(never)} of these {len(rows)} rows that is wider than the paper's lead, so"
            " that no number of our seeds can show a printed value there to be compatible."
        )
    return markdown_table(header, body) + "\n" + _wrapped(text)


def _claims(evidence: Evidence) -> str:
    """Each claim of the paper, its verdict so far and why."""
    lines = [
        f"**{claim.title}**: {claim.finding.outcome}. {claim.finding.sentence}"
        for claim in judge_all(evidence, CLAIMS)
    ]
    items = (_wrapped(f"- {line}", indent="  ") for line in lines)
    return f"The paper's claims so far:\n\n{''.join(items)}"
