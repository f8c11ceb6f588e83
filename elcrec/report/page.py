"""The page: everything collected, put into the templates."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

import elcrec
from elcrec.config.config import Config
from elcrec.files.shared import short
from elcrec.report import provenance, table1, tables2_3
from elcrec.report.claims import CLAIMS
from elcrec.report.claims.claim import judge_all
from elcrec.report.evidence import Evidence
from elcrec.report.figures import images
from elcrec.report.further import further_tables
from elcrec.report.remarks import remarks
from elcrec.report.verdict import breakdown, detectable_table, judged_cells, nearest_table, summary
from elcrec.report.view import Cell, Table
from elcrec.runs.reading import Gap

FINDINGS = elcrec.ROOT / "docs" / "findings.md"
"""What was found out about the paper; the page shows its headings."""


def render(config: Config, any_code: bool = False) -> str:
    """Return the page as HTML; `any_code` takes runs of other code and settings, too.

    Raises:
        InputError: A record, table or figure that is there and not whole; what is absent is a gap.
    """
    evidence = Evidence(config, any_code)
    sources = provenance.sources(evidence)
    links = provenance.links(sources)
    judged = judged_cells(evidence)
    names = [evidence.dataset_name(d) for d in config.use]
    values = {
        "version": elcrec.__version__,
        "config": config,
        "output": short(config.output),
        "evidence": evidence,
        "datasets": names,
        "inside": [n for d, n in zip(config.use, names, strict=True) if evidence.in_paper(d)],
        "outside": [n for d, n in zip(config.use, names, strict=True) if not evidence.in_paper(d)],
        "summary": summary(judged),
        "breakdown": breakdown(judged),
        "nearest": nearest_table(evidence),
        "detectable": detectable_table(evidence),
        "accuracy": table1.tables(evidence, judged, links),
        "significance": table1.significance_table(evidence),
        "claims": judge_all(evidence, CLAIMS),
        "time": tables2_3.time_table(evidence, links),
        "memory": tables2_3.memory_table(evidence, links),
        "images": images(evidence),
        "statistics": table1.statistics_table(evidence),
        "released": table1.released_table(evidence, links),
        "further": further_tables(evidence),
        "findings": headings(),
        "remarks": remarks(evidence),
        "sources": sources,
        "absences": _absences(evidence, [*evidence.absent, *evidence.left_out]),
    }
    return _environment().get_template("page.html.j2").render(values)


def headings() -> list[str]:
    """Titles of what was found out about the paper."""
    lines = FINDINGS.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("## ") for line in lines if line.startswith("## ")]


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("elcrec.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _absences(evidence: Evidence, gaps: Sequence[Gap]) -> Table | None:
    """Runs that the page does not show, those of one reason in one row."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for gap in gaps:
        names = evidence.dataset_name(gap.dataset), evidence.model_name(gap.model)
        groups.setdefault((*names, gap.reason), []).append(str(gap.seed))
    if not groups:
        return None
    rows = [
        [Cell(dataset), Cell(model), Cell(", ".join(seeds)), Cell(reason)]
        for (dataset, model, reason), seeds in groups.items()
    ]
    header = ["Data set", "Model", "Seeds", "Why"]
    return Table("absent", "Asked for by the configuration", header, rows, text_columns=4)
