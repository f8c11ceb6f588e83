import baselines.sasrec
from tests.contract.contract import ModelContract


class TestSASRec(ModelContract):
    module = baselines.sasrec
    parameters = {"dimension": 16, "blocks": 1, "hidden_dropout": 0.1, "attention_dropout": 0.1}
