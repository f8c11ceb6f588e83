import pytest
import torch

import baselines.s3rec_pretrain
from baselines.s3rec_pretrain import Hyperparameters, Model
from elcrec.data.samples import Prefixes, count_prefixes
from elcrec.training.loop import train
from tests.contract.contract import LENGTH, ModelContract, cycle_data

SMALL = {"dimension": 16, "blocks": 1, "hidden_dropout": 0.1, "attention_dropout": 0.1}


class TestS3RecPretrain(ModelContract):
    module = baselines.s3rec_pretrain
    parameters = SMALL | {"prefix_share": 0.3}
    training = {"select_by": "last"}
    protocol = "strict"


def test_parameters_on_beauty():
    d = 64
    model = Model(Hyperparameters(), n_users=1, item_size=12103)
    count = sum(p.numel() for p in model.parameters())
    assert count == 877_888 + 2 * (d**2 + d) == 886_208


@pytest.mark.parametrize("length", [3, LENGTH, 50])
def test_prefixes_end_at_each_of_the_last_training_items(length):
    data = cycle_data()
    prefixes = Prefixes(data, length, share=1.0)
    users, ends = prefixes.take(torch.arange(count_prefixes(data, length, 1.0)))
    expected = [
        (u, end)
        for u in range(data.n_users)
        for end in range(int(data.stops[u]) - 2, int(data.starts[u]), -1)[:length]
    ]
    assert list(zip(users.tolist(), ends.tolist(), strict=True)) == expected


def test_an_epoch_of_a_share_draws_other_prefixes_each_time():
    data = cycle_data()
    prefixes = Prefixes(data, LENGTH, share=0.1)
    generator = torch.Generator().manual_seed(0)
    drawn = []
    for _ in range(2):
        prefixes.shuffle(generator)
        drawn.append(prefixes.take(torch.arange(prefixes.count))[1])
    assert prefixes.count == -(-len(prefixes.users) // 10)
    assert len(drawn[0].unique()) == prefixes.count
    assert set(drawn[0].tolist()) != set(drawn[1].tolist())


def test_batches_hold_masked_prefixes_of_the_training_part_only():
    data = cycle_data()
    model, context = TestS3RecPretrain().ready(data)
    samples = torch.arange(model.n_samples(data))
    batch = model.batch(samples, context)
    users, ends = model.prefixes.take(samples)
    starts = torch.maximum(data.starts[users], data.stops[users] - 2 - LENGTH)
    whole = data.windows(starts, ends, LENGTH)
    assert (ends <= data.stops[users] - 2).all()

    hidden = batch.masked == model.mask_id
    assert torch.equal(torch.where(hidden, batch.targets, batch.masked), whole)
    assert hidden[:, -1].all()
    assert not (hidden & (whole == 0)).any()
    elsewhere = hidden[:, :-1][whole[:, :-1] > 0].float().mean()
    assert elsewhere == pytest.approx(0.2, abs=0.03)
    # At negative items nothing of the user, at padding nothing to fill in.
    assert not (batch.targets[whole == 0] > 0).any()


def test_segments_are_consecutive_short_and_in_place():
    data = cycle_data()
    model, context = TestS3RecPretrain().ready(data)
    batch = model.batch(torch.arange(model.n_samples(data)), context)
    token, real = model.mask_id, batch.context > 0
    inside = (batch.segment != token) & (batch.segment > 0)
    assert torch.equal(inside, batch.context == token)  # the rest hides what the segment shows
    sizes, lengths = real.sum(1), inside.sum(1)
    assert (lengths >= 1).all()
    assert (lengths <= (sizes // 2).clamp(min=1)).all()
    edges = torch.diff(inside.int(), prepend=torch.zeros(len(sizes), 1)).clamp(min=0).sum(1)
    assert (edges == 1).all()  # one stretch
    assert torch.equal(batch.has_segment, sizes > 1)
    # The false segment stands at the same place and is not the true one.
    assert torch.equal((batch.other != token) & (batch.other > 0), inside)
    assert (batch.other != batch.segment).any(1).float().mean() > 0.9
    held_out = torch.cat([data.stops - 1, data.stops - 2])
    known = torch.ones_like(data.items, dtype=torch.bool).index_fill(0, held_out, False)
    assert torch.equal(model.training_items, data.items[known])


def test_the_last_epoch_is_kept():
    data, contract = cycle_data(), TestS3RecPretrain()
    result = train(contract.make(data), data, contract.settings(max_epochs=3, patience=1), seed=1)
    assert result.best_epoch == len(result.history) == 3
