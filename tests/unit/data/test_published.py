"""The proof: the raw reviews give the published files byte for byte.

Runs where ELCREC_MIRROR is a folder with the raw files; the configuration holds the checksums.
"""

import os
from pathlib import Path

import pytest

from elcrec.config.config import load_config
from elcrec.data.fetched import Fetched
from elcrec.data.prepare import prepare
from elcrec.data.statistics import load_statistics

MIRROR = os.environ.get("ELCREC_MIRROR", "")  # read before the fixtures hide it from the tests
REPEATED = {"beauty": (0, 0), "sports": (0, 0), "toys": (0, 0), "yelp": (1640, 2027)}
"""Validation and test targets that stand in the user's own history."""


@pytest.mark.parametrize("name", ["beauty", "sports", "toys", "yelp", "ml-100k"])
def test_published_file(name: str, tmp_path: Path) -> None:
    dataset = load_config().dataset(name)
    tried = 0
    for number, source in enumerate(dataset.sources):
        path = Path(MIRROR) / source.name
        if MIRROR and path.is_file():
            out = tmp_path / str(number)
            prepare(name, dataset, Fetched(path, source, "mirror"), out)  # checks hash and counts
            if name in REPEATED:
                found = load_statistics(out / "statistics.json")["repeated_targets"]
                assert tuple(found.values()) == REPEATED[name]
            tried += 1
    if not tried:
        pytest.skip(f"ELCREC_MIRROR is no folder with the files of {name}")
