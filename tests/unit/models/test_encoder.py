"""The encoder's mask semantics, which the released code's numbers depend on."""

import pytest
import torch
from torch.nn import functional as F

from elcrec.models.dropout import Dropout, keep_mask
from elcrec.models.encoder import Block, EncoderSettings, TransformerEncoder

SETTINGS = EncoderSettings(dimension=16, max_length=8, blocks=2)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    model = TransformerEncoder(SETTINGS, 30).eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model


def test_a_position_sees_only_itself_and_earlier_items(encoder):
    a = torch.tensor([[0, 0, 3, 4, 5, 6, 7, 8]])
    b = a.clone()
    b[0, -1] = 20
    torch.testing.assert_close(encoder(a)[:, :-1][:, 2:], encoder(b)[:, :-1][:, 2:])
    assert not torch.allclose(encoder(a)[:, -1], encoder(b)[:, -1])


def test_a_query_at_padding_attends_over_everything(encoder):
    """-10000 on all keys cancels in the softmax: real items after it, even later ones, count."""
    a = torch.tensor([[0, 0, 0, 4, 5, 6, 7, 8]])
    b = a.clone()
    b[0, -1] = 20
    assert not torch.allclose(encoder(a)[:, 0], encoder(b)[:, 0])


def test_padding_on_the_left_does_not_change_real_positions(encoder):
    short = torch.tensor([[4, 5, 6]])
    padded = F.pad(short, (5, 0))
    torch.testing.assert_close(encoder(short), encoder(padded)[:, 5:], rtol=1e-5, atol=1e-5)


def test_the_last_position_alone_equals_the_whole(encoder):
    sequences = torch.tensor([[0, 0, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 0, 0, 0, 9]])
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter)  # biases too, which begin as zeros
    torch.testing.assert_close(
        encoder.last(sequences), encoder(sequences)[:, -1], rtol=1e-4, atol=1e-4
    )


def test_the_last_position_alone_sees_dropout_as_the_whole_does():
    """With every other key dropped, weights no longer add up to 1."""

    class EveryOther(torch.nn.Module):
        def forward(self, x):
            return x * torch.tensor([0.0, 2.0, 0.0, 2.0])

    block = Block(EncoderSettings(dimension=8, max_length=4, hidden_dropout=0.0)).train()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    block.attention.probability_dropout = EveryOther()
    x, mask = torch.randn(3, 4, 8), torch.zeros(3, 1, 4, 4)
    torch.testing.assert_close(block.last(x, mask), block(x, mask)[:, -1], rtol=1e-4, atol=1e-4)


def test_the_padding_row_is_random_and_gets_no_gradient(encoder):
    fresh = TransformerEncoder(SETTINGS, 30)
    assert fresh.items.weight[0].abs().sum() > 0
    fresh(torch.tensor([[0, 0, 3, 4]])).sum().backward()
    assert fresh.items.weight.grad[0].abs().sum() == 0


def test_a_bidirectional_encoder_sees_later_items():
    torch.manual_seed(0)
    encoder = TransformerEncoder(SETTINGS, 30, causal=False).eval()
    a, b = torch.tensor([[3, 4, 5]]), torch.tensor([[3, 4, 9]])
    assert not torch.allclose(encoder(a)[:, 0], encoder(b)[:, 0])


@pytest.mark.parametrize("p", [0.5, 0.2, 0.1, 0.75])
def test_dropout_keeps_the_right_share_and_the_expectation(p):
    torch.manual_seed(0)
    keep = keep_mask(torch.Size([400, 1001]), p)
    assert (keep == 0).double().mean().item() == pytest.approx(p, abs=0.003)
    assert keep.double().mean().item() == pytest.approx(1.0, abs=0.01)
    assert len(keep.unique()) == 2


@pytest.mark.parametrize("p", [1e-9, 1 - 1e-9])
def test_a_probability_next_to_0_or_1_is_rounded_to_one_that_can_be_drawn(p):
    torch.manual_seed(0)
    keep = keep_mask(torch.Size([100_000]), p)
    assert (keep == 0).double().mean().item() == pytest.approx(p, abs=1e-4)
    assert torch.isfinite(keep).all()


def test_dropout_is_the_identity_when_evaluating_and_follows_the_seed():
    layer, x = Dropout(0.5), torch.ones(7, 9)
    assert layer.eval()(x) is x
    torch.manual_seed(1)
    first = layer.train()(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)


@pytest.mark.parametrize(
    "values", [{"heads": 3}, {"dimension": 0}, {"hidden_dropout": 1.0}, {"blocks": 0}]
)
def test_impossible_settings_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        EncoderSettings(**values)
