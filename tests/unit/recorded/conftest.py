"""Small trained runs that a test may record, and change before."""

import pytest

import elcrec.jobs.run
from elcrec.cli.main import main
from tests.recording import CLEAN, MODELS, files_of, make_config, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Configuration whose runs are finished, one of the sensitivity among them."""
    folder = tmp_path_factory.mktemp("trained")
    config = make_config(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.jobs.run, "commit", lambda: CLEAN)
        for step in ("fetch", "prepare"):
            place = ["--config", str(config), "--output", str(folder / "data" / "tiny")]
            assert main(["data", step, "--dataset", "tiny", *place]) == 0
        for model in MODELS:
            train(config, model)
        place = str(folder / "results" / "sensitivity" / "tiny" / "alpha-0.1" / "1")
        train(config, "elcrec", "--set", "alpha=0.1", "--output", place)
    return config


@pytest.fixture
def runs(trained, tmp_path):
    """The same with copies of the folders, which a test may change."""
    folder = tmp_path / "runs"
    config = make_config(folder, data=str(trained.parent / "data"))
    for name, content in files_of(trained.parent / "results").items():
        path = folder / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return config


@pytest.fixture
def measured(runs):
    """A measurement of ELCRec as the configuration asks for it."""
    place = runs.parent / "results" / "efficiency" / "tiny" / "elcrec.json"
    arguments = ["--dataset", "tiny", "--model", "elcrec", "--config", str(runs)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elcrec.jobs.run, "commit", lambda: CLEAN)
        assert main(["measure", *arguments, "--output", str(place)]) == 0
    return place
