"""The page: everything collected, put into the templates."""

import base64
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2

import elcrec
from elcrec.config.config import Config
from elcrec.config.figures import KINDS
from elcrec.files.checked import Line, Record
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import shared_words, short
from elcrec.report import provenance, tables, verdict
from elcrec.report.claims import CLAIMS
from elcrec.report.claims.claim import judge_all
from elcrec.report.evidence import Evidence
from elcrec.report.remarks import remarks
from elcrec.runs.reading import Gap
from elcrec.tables.layout import Table, texts

FINDINGS = elcrec.ROOT / "docs" / "findings.md"
"""Findings about the paper; the page shows its headings."""
MOST_LINES = 200  # of a figure's numbers that are shown on the page; the file has them all


def render(config: Config, any_code: bool = False) -> str:
    """Return the page as HTML; `any_code` also accepts runs of other code and settings.

    Raises:
        InputError: A record, table or figure is incomplete; an absent one is a gap.
    """
    evidence = Evidence(config, any_code)
    sources = provenance.sources(evidence)
    links = provenance.links(sources)
    judged = verdict.judged_cells(evidence)
    file_tables = tables.of_files(evidence, links)
    names = {d: evidence.dataset_name(d) for d in config.use}
    values = {
        "version": elcrec.__version__,
        "config": config,
        "evidence": evidence,
        "datasets": list(names.values()),
        "inside": [name for d, name in names.items() if evidence.in_paper(d)],
        "outside": [name for d, name in names.items() if not evidence.in_paper(d)],
        "summary": verdict.summary(judged),
        "breakdown": verdict.breakdown(judged),
        "accuracy": tables.accuracy(evidence, judged, links),
        "run": {f"table1-{dataset}" for dataset, *_ in evidence.scores},
        "significance": tables.significance(evidence),
        "tables": file_tables,
        "lists": tables.of_lists(evidence),
        "further": [
            *tables.by_group(evidence, "activity"),
            *(file_tables[name] for name in ("impossible", "grid") if name in file_tables),
        ],
        "claims": judge_all(evidence, CLAIMS),
        "images": images(evidence.config.output / "figures"),
        "findings": headings(),
        "remarks": remarks(evidence),
        "sources": sources,
        "absences": _absences(evidence, [*evidence.absent, *evidence.left_out]),
    }
    return environment().get_template("page.html.j2").render(values)


def headings() -> list[str]:
    """Titles of the findings about the paper."""
    lines = FINDINGS.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("## ") for line in lines if line.startswith("## ")]


def environment() -> jinja2.Environment:
    """The environment that reads the templates of pages."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("elcrec.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {"short": short, "shared": _shared}
    return env


def _shared(command: str) -> str:
    """A command as it is recorded: with relative paths, so that it names no folder."""
    return shlex.join(shared_words(shlex.split(command)))


class Words(Record):
    """The JSON file of a figure."""

    title: Line
    caption: Line
    alt: Line


def images(folder: Path) -> list[dict[str, Any]]:
    """All figures in a folder, in the order of `KINDS`.

    `source` is the PNG as a data URI, `numbers` its CSV, of which `cut` lines are not shown.

    Raises:
        InputError: A figure without its JSON file, or whose JSON file lacks a key.
    """
    order = {kind: index for index, kind in enumerate(KINDS)}
    paths = sorted(folder.glob("*.png"))
    return [_image(p) for p in sorted(paths, key=lambda p: order.get(p.stem.split("-")[0], 99))]


def _image(path: Path) -> dict[str, Any]:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    csv = path.with_suffix(".csv")
    lines = csv.read_text(encoding="utf-8").splitlines() if csv.is_file() else []
    return dict(read_json(path.with_suffix(".json"), Words)) | {
        "name": path.stem,
        "source": f"data:image/png;base64,{data}",
        "numbers": "\n".join(lines[:MOST_LINES]),
        "cut": max(0, len(lines) - MOST_LINES),
    }


def _absences(evidence: Evidence, gaps: Sequence[Gap]) -> Table | None:
    """Runs that the page does not show, those with the same reason in one row."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for gap in gaps:
        names = evidence.dataset_name(gap.dataset), evidence.model_name(gap.model)
        groups.setdefault((*names, gap.reason), []).append(str(gap.seed))
    rows = [[*names, ", ".join(seeds), reason] for (*names, reason), seeds in groups.items()]
    table = texts(["Data set", "Model", "Seeds", "Why"], rows, left=4)
    return replace(table, id="absent", caption="Runs of the configuration") if rows else None
