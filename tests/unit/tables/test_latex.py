import re
import shutil
import subprocess

import pytest

from elcrec.tables.latex import NEEDS, escape, latex_file, latex_table
from elcrec.tables.layout import BEST, SECOND, Cell, Table

HEADER = ["Data set", "d_z", "p"]
ROWS = [
    ["A & B_1", Cell("+1.5%", kind=BEST), "2.3e-06"],
    ["C", Cell("-0.3%", kind=SECOND), "[0.1, 0.2]"],
]


def table(rows=ROWS, header=HEADER, text=1):
    cells = [[c if isinstance(c, Cell) else Cell(c) for c in row] for row in rows]
    return Table("x", "50 % of #1", header, cells, text)


def made(*args, **options):
    return latex_table(table(*args, **options))


def body(text):
    """The lines between the top and the bottom rule, split into cells."""
    inner = text.split("\\toprule\n")[1].split("\\bottomrule")[0]
    lines = [line for line in inner.splitlines() if line != r"\midrule"]
    assert all(line.endswith(r" \\") for line in lines)
    return [re.split(r"(?<!\\)&", line.removesuffix(r" \\")) for line in lines]


def test_environments_are_closed_in_order():
    opened = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", latex_file([table(), table()])):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []


def test_rules_and_columns():
    text = made(text=2)
    assert r"\begin{tabular}{llr}" in text
    assert r"\caption{50 \% of \#1}" in text
    assert r"\label{tab:x}" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1
    assert [len(cells) for cells in body(text)] == [3, 3, 3]
    with pytest.raises(ValueError, match="2 cells, the header 3"):
        made(rows=[["a", "b"]])


def test_cells():
    header, first, second = ([cell.strip() for cell in cells] for cells in body(made()))
    assert header == ["Data set", r"d\_z", "p"]
    assert first == [r"A \& B\_1", r"\textbf{+1.5\%}", r"$2.3 \times 10^{-6}$"]
    assert second == ["C", r"\underline{$-$0.3\%}", "[0.1, 0.2]"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a&b_c%d#e$f", r"a\&b\_c\%d\#e\$f"),
        ("{x}~^", r"\{x\}\textasciitilde{}\textasciicircum{}"),
        ("\\", r"\textbackslash{}"),
        ("0.1 ± 0.2", r"0.1 $\pm$ 0.2"),
        ("5–7", "5--7"),
        ("p < 1", r"p \textless{} 1"),
        ("HR@5", "HR@5"),
    ],
)
def test_escapes(text, expected):
    assert escape(text) == expected


@pytest.mark.parametrize("name", ["BPR-MF", "S3-Rec", "e-commerce", "ML-1M", "1-2", "f1e2"])
def test_hyphens_and_letters_of_names_stay(name):
    assert body(made(rows=[[name, "", ""]]))[1][0].strip() == name


def test_rows_of_a_group_stay_together():
    groups = [["A", "1", ""], ["", "2", ""], ["B", "3", ""], ["", "4", ""]]
    assert made(rows=groups).count(r"\midrule") == 2
    assert made(rows=[["A", "1", ""], ["A", "2", ""], ["B", "3", ""]]).count(r"\midrule") == 2
    assert made(rows=[["A", "1", ""], ["B", "2", ""]]).count(r"\midrule") == 1


def test_a_bracket_does_not_become_an_argument_of_the_line_before():
    lines = made(rows=[["[1, 2]", "", ""], ["*", "", ""]]).splitlines()
    assert [line[:3] for line in lines if line.startswith("{}")] == ["{}[", "{}*"]


def test_notes_are_comments():
    text = latex_file([table()], ["100 % of\nwhat"])
    head = text.split("\n\n")[0].splitlines()
    assert head == [f"% {NEEDS}", "% 100 % of what"]


def test_pdflatex_takes_it(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    document = r"\documentclass{article}\usepackage{booktabs,adjustbox}\begin{document}"
    (tmp_path / "t.tex").write_text(document + made() + r"\end{document}")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
