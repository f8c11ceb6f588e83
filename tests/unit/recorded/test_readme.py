"""What README and docs/results.md say of the results."""

import json
from pathlib import Path

import pytest

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.recorded import readme
from tests.recording import add, recorded_folder


def test_the_texts_have_every_recorded_model_and_claim(runs):
    assert add(runs) == 0
    texts = readme.texts(load_config([runs]))
    assert "| Popularity" in texts["results"]
    assert "| ELCRec" in texts["results"]
    value = json.loads((recorded_folder(runs) / "metrics.json").read_text())["metrics"]
    assert f"{value['test']['NDCG@20']:.4f}" in texts["results"]
    assert "ELCRec is best on almost all cells" in texts["docs"]
    assert "2 of the 2 runs of `snakemake all`" in texts["docs"]
    assert "2 of the 2 trainings of `snakemake all`" in texts["verdict"]
    assert "Of the 204 values in the paper's Table 1, 0 have runs of ours" in texts["verdict"]
    for text in texts.values():
        assert max(map(len, (x for x in text.splitlines() if "|" not in x))) <= 120
    assert len(texts["results"].split("|\n\n")[1].splitlines()) <= 3  # the legend


def test_a_part_goes_between_its_marks():
    first, last = readme.marks("verdict")
    text = f"a\n{first}\nold\n{last}\nb\n"
    assert readme.put("verdict", "new\n", text, Path("R")) == f"a\n{first}\nnew\n{last}\nb\n"
    for wrong in ("a", f"{last}{first}", first):
        with pytest.raises(InputError, match="R: needs the lines"):
            readme.put("verdict", "new", wrong, Path("R"))
