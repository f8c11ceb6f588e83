import pytest

import baselines.sasrec
from tests.contract.contract import ModelContract


class TestSASRec(ModelContract):
    module = baselines.sasrec
    parameters = {"dimension": 16, "blocks": 1, "hidden_dropout": 0.1, "attention_dropout": 0.1}


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="bpr"):
        baselines.sasrec.Hyperparameters(loss="bpr")
