import elcrec.models.elcrec
from tests.contract.contract import ModelContract

SMALL = {"dimension": 16, "blocks": 1, "intents": 8, "alpha": 1.0}


class TestELCRecShift(ModelContract):
    module = elcrec.models.elcrec
    parameters = SMALL | {"fusion": "shift"}
    training = {"max_epochs": 20}


class TestELCRecConcat(ModelContract):
    module = elcrec.models.elcrec
    parameters = SMALL | {"fusion": "concat"}
    training = {"max_epochs": 20}
