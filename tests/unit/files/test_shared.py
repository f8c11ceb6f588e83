"""No folder of a machine in what is given on."""

import pytest

from elcrec import ROOT
from elcrec.files.shared import short, without_folders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/me/data/mine.txt", "mine.txt"),
        ("--config=/home/me/a.yaml", "--config=a.yaml"),
        ("/home/me/x.txt: not a file", "x.txt: not a file"),
        ("path '/home/me/x.txt', line 3", "path 'x.txt', line 3"),
        ("from file:///home/me/x.txt", "from x.txt"),
        ("Beauty.txt from the mirror /mnt/data", "Beauty.txt from the mirror data"),
        ("https://example.org/a/b.txt", "https://example.org/a/b.txt"),
        ("results/runs/beauty", "results/runs/beauty"),
        ("~/data/x.txt, and/or 1/2", "~/data/x.txt, and/or 1/2"),
        ("cuda: 3 / 4", "cuda: 3 / 4"),
        (f"{ROOT}/workflow/config/quick.yaml", "workflow/config/quick.yaml"),
        ("/x", "x"),
        ("", ""),
    ],
)
def test_texts(text, expected):
    assert without_folders(text) == expected


def test_paths_below_the_working_directory_keep_what_is_below(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short(tmp_path / "my results" / "a.json") == "my results/a.json"
    assert short(tmp_path.parent / "x y.txt") == "x y.txt"
    assert short("../there/x.txt") == "../there/x.txt"
