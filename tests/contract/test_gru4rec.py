import pytest
import torch
from scipy.stats import chisquare
from torch import nn
from torch.nn.utils.rnn import PackedSequence

import baselines.gru4rec
from baselines.gru4rec import packed_gru
from tests.contract.contract import LENGTH, ModelContract

SMALL = {"dimension": 16, "hidden": 24, "dropout": 0.1}


class TestGRU4Rec(ModelContract):
    module = baselines.gru4rec
    parameters = SMALL

    @torch.no_grad()
    def test_padding_does_not_enter_the_state(self, data):
        model = self.make(data).eval()
        nn.init.constant_(model.items.weight[0], 50.0)  # would show
        histories = [[3, 4, 5], [7], [9, 8, 7, 6, 5, 4, 3, 2]]
        for history in histories:
            state = torch.zeros(1, 1, model.parameters_used.hidden)
            for item in history:
                _, state = model.gru(model.items(torch.tensor([[item]])), state)
            expected = model.dense(state[0])
            padded = torch.tensor([[0] * (LENGTH - len(history)) + history])
            torch.testing.assert_close(model.last(padded), expected)
            torch.testing.assert_close(model.encode(padded)[:, -1], expected)

    @torch.no_grad()
    def test_outputs_belong_to_their_positions(self, data):
        """Position by position, against the same network on the unpadded prefix."""
        model = self.make(data).eval()
        users = torch.arange(20)
        inputs = data.training_inputs(users, LENGTH)
        outputs = model.encode(inputs)
        for row, output in zip(inputs, outputs, strict=True):
            items = row[row > 0]
            for n in range(1, len(items) + 1):
                expected = model.last(items[None, :n])[0]
                position = LENGTH - len(items) + n - 1
                torch.testing.assert_close(output[position], expected)

    def test_loss_is_the_same_with_whole_windows(self, data):
        """The form of other devices: windows stay whole, padding is left out of the mean."""
        model, context = self.ready(data)
        model.eval()
        batch = model.batch(torch.arange(40), context)
        hidden, items = model.encode(batch.inputs), model.items
        whole = baselines.gru4rec.next_item_loss(
            hidden, items(batch.targets), items(batch.negatives), batch.targets > 0
        )
        torch.testing.assert_close(model.loss(batch)["total"], whole)

    def test_negatives_are_neither_the_mask_nor_items_of_the_user(self, data):
        model, context = self.ready(data)
        users = torch.arange(data.n_users)
        negatives = model.batch(users, context).negatives
        assert negatives.shape == (data.n_users, LENGTH)
        assert negatives.min() >= 1
        assert negatives.max() == data.n_items
        histories = data.windows(data.starts, data.stops, 20)
        assert not (negatives[:, :, None] == histories[:, None, :]).any()

    def test_the_item_table_has_no_row_for_the_mask(self, data):
        model = self.make(data)
        assert model.items.num_embeddings == data.n_items + 1
        users = torch.arange(3)
        scores = model.score(users, data.histories(users, "test", LENGTH))
        assert (scores[:, [0, -1]] == float("-inf")).all()


class TestGRU4RecCE(ModelContract):
    module = baselines.gru4rec
    parameters = SMALL | {"loss": "sampled_ce", "negatives": 30}

    def test_loss_equals_a_naive_cross_entropy(self, data):
        model, context = self.ready(data)
        model.eval()
        batch = model.batch(torch.arange(9), context)
        assert batch.negatives.shape == (30,)
        hidden, targets = model.encode_real(batch.inputs, batch.targets)
        losses = []
        for h, target in zip(hidden, targets, strict=True):
            others = batch.negatives[batch.negatives != target]
            candidates = model.items.weight[torch.cat([target[None], others])]
            losses.append(-torch.log_softmax(candidates @ h, 0)[0])
        torch.testing.assert_close(model.loss(batch)["total"], torch.stack(losses).mean())

    @pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
    def test_negatives_follow_popularity(self, data, alpha):
        parameters = baselines.gru4rec.Hyperparameters(
            loss="sampled_ce", negatives=40000, alpha=alpha
        )
        model = baselines.gru4rec.Model(parameters, data.n_users, data.item_size)
        _, context = self.ready(data)
        model.start_training(context)
        drawn = torch.bincount(model.batch(torch.arange(1), context).negatives, minlength=42)
        counts = torch.zeros(data.item_size, dtype=torch.float64)
        for start, stop in zip(data.starts, data.stops, strict=True):
            counts[data.items[start : stop - 2]] += 1
        expected = counts[1:-1] ** alpha
        assert drawn[0] == drawn[-1] == 0
        expected *= drawn.sum() / expected.sum()
        assert chisquare(drawn[1:-1].numpy(), expected.numpy()).pvalue > 1e-4


@pytest.mark.parametrize(
    "wrong", [{"dropout": 1.0}, {"hidden": 0}, {"loss": "bpr"}, {"alpha": -0.1}, {"negatives": 0}]
)
def test_hyperparameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        baselines.gru4rec.Hyperparameters(**wrong)


@pytest.mark.parametrize("sizes", [[4, 3, 3, 1], [5], [1, 1, 1]])
@pytest.mark.parametrize("void", [0, 3])
def test_states_and_gradients(sizes, void):
    torch.manual_seed(0)
    gru = nn.GRU(6, 8, bias=False)
    inputs = torch.randn(sum(sizes) + void, 6, requires_grad=True)
    weights = gru.all_weights[0]
    states = packed_gru(inputs, *weights, sizes)
    assert len(states) == len(inputs)
    states = states[: sum(sizes)]
    expected, _ = gru(PackedSequence(inputs[: sum(sizes)], torch.tensor(sizes)))
    torch.testing.assert_close(states, expected.data)
    leaves, grad = (inputs, *weights), torch.randn_like(states)
    torch.testing.assert_close(
        torch.autograd.grad(states, leaves, grad), torch.autograd.grad(expected.data, leaves, grad)
    )
