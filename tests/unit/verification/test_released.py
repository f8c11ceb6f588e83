"""What `elcrec verify released` says of the centers in published weights."""

import json

import pytest

from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.data.histories import InteractionData
from elcrec.jobs.device import choose
from elcrec.runs.settings import resolve
from elcrec.verification import tensor_names


@pytest.fixture
def verify(tiny, tmp_path, monkeypatch):
    """Runs the command on weights of a model that is changed first; gives what it records."""
    config = load_config([tiny])
    data: InteractionData = InteractionData.read(config.prepared_file("tiny"), choose("cpu"))

    def run(name, change=lambda model: None):
        model = resolve(config, name, "tiny").build(data.n_users, data.item_size)
        change(model)
        monkeypatch.setattr(tensor_names, "load_released", lambda _: model.state_dict())
        path = tmp_path / "record.json"
        words = ["verify", "released", "--dataset", "tiny", "--model", name, "--weights", "x.pt"]
        words += ["--config", str(tiny), "--device", "cpu", "--output", str(path), "--force"]
        assert main(words) == 0
        return json.loads(path.read_text())["intents"]

    return run


def together(model):
    model.centers.data[:] = model.centers.data[0].clone()


def test_centers_that_fell_together(verify, capsys):
    seen = verify("elcrec", together)
    assert seen["in_use"] == 1
    assert seen["center_cosine"] == pytest.approx(1)
    words = f"1 of {seen['count']} centers are nearest to at least one of {seen['users']} users"
    assert words in capsys.readouterr().out


def test_centers_of_two_directions(verify):
    def oppose(model):
        together(model)
        model.centers.data[::2] *= -1

    count = verify("elcrec")["count"]
    seen = verify("elcrec", oppose)
    assert count % 2 == 0
    assert 1 <= seen["in_use"] <= 2
    assert seen["center_cosine"] == pytest.approx(-1 / (count - 1))  # half of all pairs agree


def test_weights_without_learned_centers(verify, capsys):
    assert verify("iclrec") is None
    assert "centers" not in capsys.readouterr().out
