"""Signs that Markdown, LaTeX or HTML reads as its own, in the names of data sets and models."""

import json
import re
from html import escape as html_escape
from itertools import product

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt

from elcrec.config.config import load_config
from elcrec.data.sequences import parse_sequences
from elcrec.data.statistics import statistics
from elcrec.errors import InputError
from elcrec.report.page import render
from elcrec.tables import (
    activity,
    data_statistics,
    lists,
    sampled,
    table1_files,
    tables2_3,
    use,
)
from elcrec.tables.latex import escape
from tests.unit.tables.conftest import Output

SIGNS = r"a|b & <c> _d_ 5% $e$ f_g \h *i* `j` &amp; [k](l) ~~m~~ {n} #1 ^o"
DATASET, MODEL = f"Data {SIGNS}", f"Model {SIGNS}"
USERS = 10


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Every table of runs of a model and on a data set with such names, and the page."""
    tmp_path = tmp_path_factory.mktemp("names")
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"base": "popularity", "name": MODEL}))
    values = {"output": str(tmp_path / "out"), "data": str(tmp_path / "data"), "use": ["mine"]}
    values |= {"models": [str(own), "iclrec", "elcrec"], "seeds": [1, 2]}
    values |= {"datasets": {"mine": {"name": DATASET, "path": "mine.txt"}}}
    values |= {"efficiency": {"models": ["own", "elcrec"]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values))
    content = "".join(f"{u} {' '.join(map(str, range(u, u + 5)))}\n" for u in range(USERS))
    folder = tmp_path / "data" / "mine"
    folder.mkdir(parents=True)
    (folder / "sequences.txt").write_text(content)
    sequences = parse_sequences(content.encode(), "mine")
    record = {"dataset": "mine", "name": DATASET, **statistics(sequences).model_dump()}
    (folder / "statistics.json").write_text(json.dumps(record))
    output = Output(tmp_path / "out")
    for model, seed in product(("own", "iclrec", "elcrec"), (1, 2)):
        ranks = [(len(model) + seed * u) % 7 for u in range(USERS)]
        if (model, seed) != ("own", 2):
            run = output.run("mine", model, seed, test=ranks, data=sequences.digest())
            items = (np.arange(5) + len(model) * seed) % sequences.n_items + 1
            np.savez(run / "top.npz", test=np.tile(items, (USERS, 1)), ahead=np.zeros(USERS, int))
            (run / "history.csv").write_text("epoch,loss_total,HR@5\n1,3,0\n2,2,0.1\n3,1,0\n")
    output.efficiency("mine", "own")
    config = load_config([tmp_path / "config.yaml"])
    tables = tmp_path / "out" / "tables"
    data_statistics.write(config, tables, [folder / "statistics.json"])
    for module in (table1_files, activity, lists, sampled, use, tables2_3):
        module.write(config, tables, True)
    (tables / "page.html").write_text(render(config, any_code=True))
    return tables


def shown(text):
    """What a reader of Markdown sees, cell by cell, paragraph by paragraph; no HTML but marks."""
    found = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        assert token.type != "html_block"
        for part in token.children or ():
            if part.type == "html_inline":
                assert part.content in ("<br>", "<u>", "</u>")
            assert part.type not in ("em_open", "link_open", "s_open")
        if token.type == "inline":
            found.append("".join(p.content for p in token.children if p.type != "html_inline"))
    return found


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("data_statistics", [DATASET]),
        ("table1", [DATASET, MODEL]),
        ("activity", [DATASET, MODEL]),
        ("popularity", [DATASET, MODEL]),
        ("lists", [DATASET, MODEL]),
        ("sampled", [DATASET, MODEL]),
        ("use", [DATASET, MODEL]),
        ("table2", [DATASET, MODEL]),
        ("table3", [DATASET, MODEL]),
    ],
)
def test_names_stand_in_every_table_as_they_are(written, table, names):
    text = (written / f"{table}.md").read_text()
    cells = shown(text)
    for name in names:
        assert any(name in cell for cell in cells)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows if row[2] != "-"}
    assert len(bars) == (2 if table in ("table1", "lists") else 1)  # which have two tables
    latex = (written / f"{table}.tex").read_text()
    printed = "".join(line for line in latex.splitlines(True) if line[0] != "%")
    for name in names:
        assert escape(name) in printed
        assert name not in printed


def test_gaps_name_what_is_missing_as_it_is(written):
    assert f"Missing: {MODEL} on {DATASET}, seed 2." in shown((written / "table1.md").read_text())


def test_the_page_shows_names_as_they_are(written):
    page = (written / "page.html").read_text()
    for name in (DATASET, MODEL):
        assert html_escape(name) in page
        assert name not in page


def test_a_name_of_several_lines_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text('datasets: {mine: {name: "a\\nb", path: x.txt}}\n')
    with pytest.raises(InputError, match=r"datasets\.mine\.name: must be a text of one line"):
        load_config([path])
