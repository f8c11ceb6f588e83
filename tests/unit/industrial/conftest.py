"""A data set of 60 users, prepared, and its runs."""

import pytest

from elcrec.cli.main import main
from elcrec.config.config import Config, load_config
from tests.unit.industrial.logs import configuration, many_ratings, ml100k


def command(*words: str, config) -> int:
    """Run `elcrec industrial`."""
    return main(["industrial", *words, "--config", str(config)])


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The path of a configuration whose every run is there, two seeds each."""
    folder = tmp_path_factory.mktemp("industrial")
    path = configuration(folder, "ml-100k", ml100k(folder, many_ratings()))
    assert command("prepare", "--dataset", "mine", config=path) == 0
    for model in ("single", "mmoe", "mmoe_kmeans", "mmoe_elcm"):
        for seed in ("1", "2"):
            words = ("--dataset", "mine", "--model", model, "--seed", seed, "--device", "cpu")
            assert command("train", *words, config=path) == 0
    return path


@pytest.fixture(scope="session")
def finished(made) -> Config:
    """The same, read."""
    return load_config([made])
