import baselines.iclrec
from tests.contract.contract import ModelContract


class TestICLRec(ModelContract):
    module = baselines.iclrec
    parameters = {"dimension": 16, "blocks": 1, "intents": 8}
    training = {"max_epochs": 20}
