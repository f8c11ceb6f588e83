"""The proof: the raw reviews give the published files byte for byte.

Runs where ELCREC_MIRROR is a folder with the raw files; the configuration holds the checksums.
"""

import os
from pathlib import Path

import pytest

from elcrec.config.config import load_config
from elcrec.data.fetched import Fetched
from elcrec.data.prepare import prepare

MIRROR = os.environ.get("ELCREC_MIRROR", "")  # read before the fixtures hide it from the tests


@pytest.mark.parametrize("name", ["beauty", "sports", "toys", "yelp", "ml-100k"])
def test_published_file(name: str, tmp_path: Path) -> None:
    dataset = load_config().dataset(name)
    tried = 0
    for number, source in enumerate(dataset.sources):
        path = Path(MIRROR) / source.name
        if MIRROR and path.is_file():
            out = tmp_path / str(number)
            prepare(name, dataset, Fetched(path, source, "mirror"), out)  # checks hash and counts
            tried += 1
    if not tried:
        pytest.skip(f"ELCREC_MIRROR is no folder with the files of {name}")
