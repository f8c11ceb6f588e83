"""`elcrec bench --peer recbole`, with RecBole itself."""

import json

import pytest

from elcrec.cli.main import main
from tests.parity.test_lists import config

__all__ = ["config"]
QUICK = ["--repeats", "1", "--steps", "1", "--threads", "1", "--device", "cpu"]


@pytest.mark.parametrize("model", ["sasrec", "sasrec_ce", "gru4rec", "gru4rec_ce", "bert4rec"])
def test_recbole_is_measured_in_turn(config, tmp_path, capsys, model):
    told = ["--dataset", "ml-100k", "--model", model, "--config", str(config)]
    path = tmp_path / "peer.json"
    assert main(["bench", "--peer", "recbole", *told, *QUICK, "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    here, peer = found["here"], found["peer"]
    assert (peer["users"], peer["items"]) == (here["users"], here["items"])
    assert peer["options"]["MAX_ITEM_LIST_LENGTH"] == here["settings"]["parameters"]["max_length"]
    assert found["ratio"]["epoch"]["min"] > 0
    assert "RecBole's" in capsys.readouterr().out
