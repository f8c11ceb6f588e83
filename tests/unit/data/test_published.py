"""The proof: the raw reviews give the published files byte for byte.

Runs where ELCREC_MIRROR is a folder with the raw files; the configuration holds the checksums.
"""

import os
from pathlib import Path

import pytest
import yaml

from elcrec.data.fetched import Fetched
from elcrec.data.prepare import prepare
from elcrec.data.sources import Dataset

MIRROR = os.environ.get("ELCREC_MIRROR", "")  # read before the fixtures hide it from the tests
CONFIG = Path(__file__).parents[3] / "workflow" / "config" / "config.yaml"


@pytest.mark.parametrize("name", ["beauty", "sports", "toys", "yelp", "ml-100k"])
def test_published_file(name: str, tmp_path: Path) -> None:
    mapping = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["datasets"][name]
    dataset = Dataset.from_config(name, mapping)
    tried = 0
    for number, source in enumerate(dataset.sources):
        path = Path(MIRROR) / source.file
        if MIRROR and path.is_file():
            out = tmp_path / str(number)
            prepare(dataset, Fetched(path, source, "mirror"), out)  # checks hash and counts
            tried += 1
    if not tried:
        pytest.skip(f"ELCREC_MIRROR is no folder with the files of {name}")
