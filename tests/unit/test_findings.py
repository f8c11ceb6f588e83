"""Every number of docs/findings.md, computed again from the files that the page names."""

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from elcrec import ROOT, paper
from elcrec.evaluation.metrics import TABLE_METRICS
from elcrec.files.words import listed
from elcrec.report.page import headings
from elcrec.tables.impossible import PAPER, ROUNDING, printed_columns
from elcrec.tables.impossible import impossible as impossible_columns

TABLE1 = paper.load_accuracy()
DATASETS = list(dict.fromkeys(dataset for dataset, _, _ in TABLE1))
MODELS = [m for m in dict.fromkeys(m for _, _, m in TABLE1) if m not in ("improvement", "p_value")]
CELLS = list(product(DATASETS, TABLE_METRICS))

Table = list[list[str]]
Found = tuple[list[str], Table]
"""Numbers of the prose in their order, and the rows of the table."""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if line[0] != "#"))


def printed(name: str) -> list[dict[str, str]]:
    return rows(paper.FOLDER / f"{name}.csv")


def value(text: str) -> str:
    return f"{float(text):.4f}"


def checkpoint() -> Found:
    records = (json.loads(p.read_text()) for p in (ROOT / "results/recorded").rglob("*.json"))
    (record,) = (r for r in records if "file" in r and r["model"] == "elcrec")
    assert record["dataset"] == "beauty"
    found = [
        [
            metric,
            value(record["metrics"]["test"][metric]),
            value(TABLE1["Beauty", metric, "ELCRec"]),
        ]
        for metric in TABLE_METRICS
    ]
    equal = sum(released == own for _, released, own in found)
    return [str(equal), str(len(found))], found


def copied() -> Found:
    total: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    for row in printed("elsewhere"):
        if row["source"] == "MCLRec paper":
            total[row["model"]] += 1
            same = float(row["value"]) == TABLE1[row["dataset"], row["metric"], row["model"]]
            equal[row["model"]] += same
    unknown = listed([m for m in MODELS if m not in (*total, "ELCRec")], 99)
    assert f"Of {unknown} no earlier table" in " ".join(lines(COPIED))
    models = sorted(total, key=lambda m: (-equal[m], MODELS.index(m)))
    assert sum(equal[m] == total[m] for m in models) == 3  # `three baselines`
    assert sum(0 < equal[m] < total[m] for m in models) == 2  # `two more`
    return [], [[m, str(total[m]), str(equal[m])] for m in models]


def released_iclrec() -> Found:
    found = [row for row in printed("elsewhere") if row["model"] == "ICLRec"]
    better: dict[str, list[dict[str, str]]] = {
        model: [r for r in found if float(r["value"]) > TABLE1[r["dataset"], r["metric"], model]]
        for model in ("ICLRec", "ELCRec")
    }
    table = [
        [f"{d} {m}", value(row["value"]), value(TABLE1[d, m, "ELCRec"])]
        for row in better["ELCRec"]
        for d, m in [(row["dataset"], row["metric"])]
    ]
    return [str(n) for n in (len(better["ICLRec"]), len(found), len(better["ELCRec"]))], table


def ablation() -> Found:
    table, near = [], 0
    for row in printed("ablation"):
        dataset, base = row["dataset"], float(row["B"])
        sums = [sum(TABLE1[dataset, k, m] for k in TABLE_METRICS) for m in ("ICLRec", "SASRec")]
        near += abs(sums[0] - base) <= 0.01 * base
        table.append([dataset, *map(value, (base, *sums))])
    return ["1", str(near), str(len(table))], table


def impossible() -> Found:
    columns = printed_columns(TABLE1)
    broken = list(impossible_columns(columns, PAPER).itertuples())
    table = [
        [
            f"{c.dataset} {c.model}",
            *map(value, (c.ndcg_5, c.hr_20 - c.hr_5, c.least, c.most, c.ndcg_20)),
        ]
        for c in broken
    ]
    factors = [value(1 / math.log2(rank + 1)) for rank in (20, 6)]
    return ["6", "20", *factors, f"{ROUNDING:.5f}", str(len(broken)), str(len(columns))], table


def s3rec() -> Found:
    ratios = [TABLE1[*cell, "S3-Rec"] / TABLE1[*cell, "SASRec"] for cell in CELLS]
    where = ("Beauty", "HR@5", "S3-Rec")
    others = [
        [row["source"], value(row["value"])]
        for row in printed("elsewhere")
        if (row["dataset"], row["metric"], row["model"]) == where
        and row["source"].startswith("S3-Rec repository")
    ]
    table = [
        ["printed in Table 1", value(TABLE1[where])],
        *others,
        ["for comparison: SASRec in Table 1", value(TABLE1["Beauty", "HR@5", "SASRec"])],
    ]
    return [f"{100 * sum(ratios) / len(ratios):.0f}", str(len(ratios))], table


def ml_1m() -> Found:
    (row,) = (row for row in printed("table8") if row["metric"] == "HR@5")
    (released,) = printed("table8_released")
    assert released["metric"] == "HR@5"
    iclrec, elcrec, best = (float(x) for x in (row["ICLRec"], row["ELCRec"], released["ICLRec"]))
    quotients = [f"{best / iclrec:.1f}", f"{best / elcrec:.1f}"]
    return [value(iclrec), value(best), *quotients, value(elcrec)], []


def memory() -> Found:
    efficiency = paper.load_efficiency()
    (other,) = printed("table11")
    assert (other["dataset"], other["method"]) == ("Beauty", "ELCRec")
    figures = {dataset: efficiency[dataset, "ELCRec", "megabytes"] for dataset in DATASETS}
    first, second = figures["Beauty"], float(other["megabytes"])
    means = [f"{sum((figures | {'Beauty': x}).values()) / 4:,.2f}" for x in (first, second)]
    average = efficiency["Average", "ELCRec", "megabytes"]
    assert f"{float(means[0].replace(',', '')):.0f}" == f"{average:.0f}"
    one, two, mean = (f"{x:,.0f}" for x in (first, second, average))
    return [one, two, mean, one, means[0], two, means[1]], []


def p_values() -> Found:
    table = [
        [
            f"{row['dataset']} {row['metric']}",
            f"{float(row['p_value']):.2e}",
            f"{TABLE1[row['dataset'], row['metric'], 'p_value']:.2e}",
        ]
        for row in printed("p_values_v1")
    ]
    assert all(first != now for _, first, now in table)
    return [str(len(table)), str(len(CELLS))], table


def cluster_loss() -> Found:
    gaps = [
        abs(float(row["cluster_direct"]) - float(row["cluster_identity"]))
        for path in (ROOT / "results/recorded").rglob("*.csv")
        for row in rows(path)
        # The seven digits of a history cannot show less than the bound in a loss above 1, which
        # only a variant without the cluster loss has.
        if row.get("cluster_direct") and abs(float(row["cluster_direct"])) < 1
    ]
    assert gaps
    assert max(gaps) < 0.000001
    return ["0.000001"], []


COPIED = "Some baseline columns come from an earlier paper"
FINDINGS: dict[str, Callable[[], Found]] = {
    "The ELCRec column on Beauty is that of a single checkpoint": checkpoint,
    COPIED: copied,
    "ICLRec's released results are better than its column": released_iclrec,
    "The ablation's baseline is ICLRec, not a plain Transformer": ablation,
    "Some printed columns are impossible": impossible,
    "S3-Rec is printed at about half of SASRec": s3rec,
    "ICLRec on ML-1M is printed far below its released weights": ml_1m,
    "One memory figure is printed in two versions": memory,
    "p-values changed between versions while the metrics did not": p_values,
    "The cluster loss cannot separate centers": cluster_loss,
}
NAMES = re.compile(r"`[^`]*`|Table\s\d+")
"""Code and the names of tables hold digits that are no number of a finding."""
NUMBER = re.compile(r"(?<![\w@-])\d[\d,]*(?:\.\d+)?(?![\w@])")
PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")


def lines(title: str, page: str = PAGE) -> list[str]:
    """What stands under a heading."""
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].splitlines()


def told(title: str, page: str = PAGE) -> Found:
    """What the page says under a heading."""
    found = lines(title, page)
    cells = [[c.strip() for c in x.strip("|").split("|")] for x in found if x.startswith("|")]
    prose = " ".join(x for x in found if not x.startswith("|"))
    return NUMBER.findall(NAMES.sub("", prose)), cells[2:]


@pytest.mark.parametrize("title", FINDINGS)
def test_the_page_says_what_the_files_give(title):
    assert told(title) == FINDINGS[title]()


def test_every_heading_of_the_page_is_checked_and_listed_by_the_report():
    assert headings() == list(FINDINGS)


@pytest.mark.parametrize("title", FINDINGS)
def test_a_number_that_is_changed_is_noticed(title):
    text = "\n".join(lines(title))
    names = [match.span() for match in NAMES.finditer(text)]
    numbers = [n for n in NUMBER.finditer(text) if not any(a <= n.start() < b for a, b in names)]
    assert numbers
    for number in numbers:
        digit = str((int(number.group()[0]) + 1) % 10)
        wrong = text[: number.start()] + digit + text[number.start() + 1 :]
        assert told(title, PAGE.replace(text, wrong)) != told(title), number
