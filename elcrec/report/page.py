"""The page: everything collected, put into the templates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jinja2

import elcrec
from elcrec.config.config import Config
from elcrec.report import provenance, table1, tables2_3
from elcrec.report.claims import CLAIMS
from elcrec.report.claims.claim import judge_all
from elcrec.report.evidence import Evidence
from elcrec.report.figures import images
from elcrec.report.further import further_tables
from elcrec.report.provenance import Absent, Source
from elcrec.report.remarks.findings import findings
from elcrec.report.remarks.oddities import oddities
from elcrec.report.verdict import breakdown, detectable_table, judged_cells, nearest_table, summary
from elcrec.report.view import Cell, Table

CONTENTS = (
    ("verdict", "Verdict"),
    ("table1", "Table 1: accuracy"),
    ("claims", "The paper's claims"),
    ("table2", "Table 2: time"),
    ("table3", "Table 3: memory"),
    ("figures", "Figures"),
    ("data", "Data"),
    ("released", "Released weights"),
    ("further", "Further tables"),
    ("oddities", "Odd in the published tables"),
    ("findings", "Other findings"),
    ("sources", "Sources of the numbers"),
)


def render(config: Config, any_code: bool = False) -> str:
    """Return the page as HTML; `any_code` takes runs of other code and settings, too.

    Raises:
        InputError: A record, table or figure that is there and not whole; what is absent is a gap.
    """
    evidence = Evidence(config, any_code)
    sources = provenance.sources(evidence)
    links = _links(sources)
    judged = judged_cells(evidence)
    gaps = provenance.absent(evidence)
    left_out = provenance.left_out(evidence)
    further = further_tables(evidence)
    names = [evidence.dataset_name(d) for d in config.use]
    values = {
        "title": "ELCRec, replicated",
        "version": elcrec.__version__,
        "config": config,
        "datasets": names,
        "models": [evidence.model_name(m) for m in config.models],
        "inside": [n for d, n in zip(config.use, names, strict=True) if evidence.in_paper(d)],
        "outside": [n for d, n in zip(config.use, names, strict=True) if not evidence.in_paper(d)],
        "finished": len(evidence.runs) + len(evidence.sensitivity),
        "commits": list(dict.fromkeys(s.commit for s in sources)),
        "contents": [entry for entry in CONTENTS if further or entry[0] != "further"],
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
        "further": further,
        "oddities": oddities(evidence),
        "findings": findings(evidence),
        "sources": list(_shown(evidence, sources)),
        "absent": gaps,
        "left_out": left_out,
        "absences": _absences(evidence, [*gaps, *left_out]),
    }
    return _environment().get_template("page.html.j2").render(values)


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("elcrec.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _links(sources: Sequence[Source]) -> dict[tuple[str, str, str], tuple[str, str]]:
    """(kind, data set, model) to the anchor of its sources and what they are, in one line."""
    groups: dict[tuple[str, str, str], list[Source]] = {}
    for source in sources:
        groups.setdefault((source.kind, source.dataset, source.model), []).append(source)
    return {key: (found[0].anchor, provenance.describe(found)) for key, found in groups.items()}


def _shown(
    evidence: Evidence, sources: Sequence[Source]
) -> Iterable[tuple[Source, str, str, bool]]:
    """Each source with its display names and whether it is the first of its group."""
    seen: set[str] = set()
    for source in sources:
        names = evidence.dataset_name(source.dataset), evidence.model_name(source.model)
        yield source, *names, source.anchor not in seen
        seen.add(source.anchor)


def _absences(evidence: Evidence, gaps: Sequence[Absent]) -> Table | None:
    """Runs that the page does not show, those of one reason in one row."""
    if not gaps:
        return None
    groups: dict[tuple[str, str, str], list[int]] = {}
    for gap in gaps:
        groups.setdefault((gap.dataset, gap.model, gap.reason), []).append(gap.seed)
    rows = [
        [
            Cell(evidence.dataset_name(dataset)),
            Cell(evidence.model_name(model)),
            Cell(", ".join(map(str, seeds))),
            Cell(reason),
        ]
        for (dataset, model, reason), seeds in groups.items()
    ]
    header = ["Data set", "Model", "Seeds", "Why"]
    return Table("absent", "Asked for by the configuration", header, rows, text_columns=4)
