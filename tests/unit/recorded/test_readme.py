"""The README's section of results."""

import json
from pathlib import Path

import pytest

from elcrec.config.config import load_config
from elcrec.errors import InputError
from elcrec.recorded import readme
from tests.recording import add, recorded_folder


def test_the_section_of_the_readme_has_every_recorded_model_and_claim(runs):
    assert add(runs) == 0
    text = readme.section(load_config([runs]))
    assert "**Popularity**, trained here" in text
    assert "**ELCRec**, trained here" in text
    assert "ELCRec is best on almost all cells" in text
    assert "2 of the 2 runs of `snakemake all`" in text
    value = json.loads((recorded_folder(runs) / "metrics.json").read_text())["metrics"]
    assert f"{value['test']['NDCG@20']:.4f}" in text
    assert max(map(len, (x for x in text.splitlines() if "|" not in x))) <= 120


def test_the_section_goes_between_its_marks():
    text = f"a\n{readme.BEGIN}\nold\n{readme.END}\nb\n"
    assert readme.put("new\n", text, Path("R")) == f"a\n{readme.BEGIN}\nnew\n{readme.END}\nb\n"
    for wrong in ("a", f"{readme.END}{readme.BEGIN}", readme.BEGIN):
        with pytest.raises(InputError, match="R: needs the lines"):
            readme.put("new", wrong, Path("R"))
