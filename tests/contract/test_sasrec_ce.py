import torch

import baselines.sasrec
from tests.contract.contract import ModelContract


class TestSASRecCE(ModelContract):
    module = baselines.sasrec
    parameters = {
        "dimension": 16,
        "blocks": 1,
        "hidden_dropout": 0.1,
        "attention_dropout": 0.1,
        "loss": "ce",
    }

    def test_padding_and_mask_get_no_gradient_from_the_loss(self, data):
        model, context = self.ready(data)
        model.loss(model.batch(torch.arange(16), context))["total"].backward()
        gradient = model.encoder.items.weight.grad
        assert (gradient[[0, -1]] == 0).all()
        assert (gradient[1:-1] != 0).any(1).all()
