"""Real positions alone, without the padding around them."""

import pytest
import torch

from elcrec.models import packing
from elcrec.models.encoder import EncoderSettings, TransformerEncoder
from elcrec.models.packing import pack, usual
from elcrec.models.padding import encode_at, encode_last, encode_packed, encode_where, length_groups

LENGTH = 8


def windows(*sizes: int) -> torch.Tensor:
    """Left-padded windows with these numbers of items."""
    torch.manual_seed(1)
    items = torch.randint(1, 29, (len(sizes), LENGTH))
    return items.masked_fill(torch.arange(LENGTH) < LENGTH - torch.tensor(sizes)[:, None], 0)


@pytest.fixture(params=[True, False], ids=["causal", "bidirectional"])
def encoder(request):
    torch.manual_seed(0)
    settings = EncoderSettings(dimension=16, max_length=LENGTH, blocks=2)
    model = TransformerEncoder(settings, 30, causal=request.param).eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernels", [None, lambda encoder, sequences: None])
def test_outputs_equal_those_of_whole_windows_in_their_order(encoder, kernels):
    encoder.kernels = kernels  # those that never apply: as the compiled ones call it
    sequences = windows(1, 2, 3, 5, 8, 0, 4)
    real = sequences > 0
    hidden, items = encode_where(encoder, sequences, real, sequences)
    close(hidden, encoder(sequences)[real])
    assert torch.equal(items, sequences[real])
    some = real & (torch.arange(LENGTH) % 3 == 0)
    close(encode_at(encoder, sequences, some), encoder(sequences)[some])
    packed, everything = encode_packed(encoder, sequences)
    close(everything.flatten(0, 1)[packed.slots[real]], encoder(sequences)[real])


def test_shorter_windows_have_the_last_positions(encoder):
    sequences = windows(1, 2, 3)
    close(
        encode_at(encoder, sequences[:, -3:], sequences[:, -3:] > 0),
        encoder(sequences)[sequences > 0],
    )


def test_the_last_outputs(encoder):
    sequences = windows(3, 8, 1, 2, 2)
    close(encode_last(encoder, sequences), encoder(sequences)[:, -1])


def test_histories_that_share_a_window_do_not_see_each_other(encoder):
    sequences = windows(3, 4, 1)
    other = sequences.clone()
    other[1, -4:] = torch.tensor([25, 26, 27, 28])
    assert pack(sequences, LENGTH).items.shape == (1, LENGTH)
    ours, theirs = (encode_last(encoder, s) for s in (sequences, other))
    assert torch.equal(ours[[0, 2]], theirs[[0, 2]])
    assert not torch.allclose(ours[1], theirs[1])


def test_every_item_has_a_slot_of_its_own_in_one_window():
    sequences = windows(*[3, 8, 0, 1, 5, 5, 2, 7, 4] * 5)
    packed, real = pack(sequences, LENGTH), sequences > 0
    slots = packed.slots[real]
    assert len(slots.unique()) == len(slots) == real.sum()
    rows, columns = real.nonzero(as_tuple=True)
    assert torch.equal(packed.items.flatten()[slots], sequences[real])
    assert torch.equal(packed.positions.flatten()[slots], columns)
    assert torch.equal(packed.owners.flatten()[slots], rows)
    assert (packed.owners >= 0).sum() == len(slots)
    assert (packed.items > 0).sum() == len(slots)
    for row in range(len(sequences)):
        own = packed.slots[row][real[row]]
        assert len((own // LENGTH).unique()) <= 1
        assert (own.diff() == 1).all()


@pytest.mark.parametrize(("longest", "width"), [(6, 6), (7, 8), (8, 8)])
def test_windows_are_no_wider_than_the_histories_need(monkeypatch, longest, width):
    monkeypatch.setattr(packing, "USUAL_WIDTH", 6)
    assert pack(windows(longest, 2, 1), LENGTH).items.shape[1] == width


def test_usual_numbers_are_few_and_near():
    numbers = {usual(n): n for n in range(1, 5000)}
    assert len(numbers) < 100
    assert all(n <= usual(n) <= n * 1.125 + 1 for n in range(5000))
    assert all(usual(n) == n for n in numbers)


def test_groups_hold_every_row_with_items_once():
    sequences = windows(8, 0, 3, 1, 2)
    groups = length_groups(sequences)
    assert sorted(r for rows, _ in groups for r in rows.tolist()) == [0, 2, 3, 4]
    for rows, width in groups:
        assert ((sequences[rows] > 0).sum(1) <= width).all()
