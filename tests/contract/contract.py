"""What every model has to do. A model's test is a class with its module and small settings:

class TestSASRec(ModelContract):
    module = baselines.sasrec
    parameters = {"dimension": 16, "blocks": 1}
"""

import functools
import sys
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from baselines import popularity
from elcrec.config.build import build
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences
from elcrec.errors import InputError
from elcrec.evaluation.metrics import summarise
from elcrec.evaluation.ranking import Evaluator
from elcrec.files.weights import WEIGHTS, read_weights, write_weights
from elcrec.jobs.checkpoints import Checkpoints
from elcrec.models import linear, padding
from elcrec.models.interface import Context, SequenceModel
from elcrec.training.graph import GraphedStep
from elcrec.training.loop import train
from elcrec.training.result import Options
from elcrec.training.settings import TrainingSettings
from elcrec.training.step import Step, make_optimiser, train_epoch
from elcrec.usage import Stopwatch
from tests.contract import capture
from tests.contract.order import OrderOfSums

N_ITEMS = 40
LENGTH = 12  # longest window in these tests


@functools.cache
def cycle_data(users: int = 160, seed: int = 0) -> InteractionData:
    """The known-answer data set: everyone walks the same cycle of items, from a random start."""
    random = np.random.default_rng(seed)
    starts, lengths = random.integers(N_ITEMS, size=users), random.integers(5, 18, size=users)
    rows = [1 + (s + np.arange(n)) % N_ITEMS for s, n in zip(starts, lengths, strict=True)]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return InteractionData(
        Sequences(np.concatenate(rows), offsets, tuple(str(u) for u in range(users)))
    )


@functools.cache
def repeating_data(users: int = 60) -> InteractionData:
    """Everyone goes round four items of their own, so that every target was there before."""
    rows = [1 + (np.arange(u % 5, 9) % 4 * 7 + u) % N_ITEMS for u in range(users)]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    names = tuple(str(u) for u in range(users))
    return InteractionData(Sequences(np.concatenate(rows), offsets, names))


@torch.no_grad()
def check_repeats(model: SequenceModel, settings: TrainingSettings, protocol: str) -> None:
    """Under `repeats` a target's rank is its place among the scores of all items."""
    data = repeating_data()
    with pytest.raises(InputError, match=r"60 test targets.*`protocol: repeats` lets them compete"):
        train(model, data, settings, seed=1, protocol=protocol)
    with torch.enable_grad():
        ranks = train(model, data, settings, seed=1, protocol="repeats").ranks["test"]
    users = torch.arange(data.n_users)
    scores = model.eval().score(users, data.histories(users, "test", model.max_length))[:, 1:-1]
    own = scores.gather(1, data.targets(users, "test")[:, None] - 1)
    expected = (scores >= own).sum(1).numpy() - 1
    assert (ranks == expected).mean() > 0.95  # other blocks, other rounding
    assert len(np.unique(ranks)) > 1


class ModelContract:
    """Inherit, name the module, and run."""

    module: ClassVar[ModuleType]
    parameters: ClassVar[dict[str, Any]] = {}
    training: ClassVar[dict[str, Any]] = {}
    protocol: ClassVar[str] = "paper"

    @pytest.fixture
    def data(self) -> InteractionData:
        return cycle_data()

    def make(self, data: InteractionData, seed: int = 1) -> SequenceModel:
        torch.manual_seed(seed)
        values = {"max_length": LENGTH} | self.parameters
        parameters = build(self.module.Hyperparameters, values, "test")
        return self.module.Model(parameters, data.n_users, data.item_size)

    def settings(self, **changes: Any) -> TrainingSettings:
        values = {"batch_size": 32, "learning_rate": 0.01, "max_epochs": 12, "patience": 0}
        return TrainingSettings(**(values | self.training | changes))

    def ready(self, data: InteractionData) -> tuple[SequenceModel, Context]:
        """A model whose hooks have run, and its context."""
        model = self.make(data)
        generator = torch.Generator().manual_seed(1)
        context = Context(data, generator, 1, Stopwatch(data.device))
        model.start_training(context)
        model.start_epoch(0, context)
        return model, context

    def test_loss_is_finite_and_reaches_every_parameter(self, data):
        model, context = self.ready(data)
        n = model.n_samples(data)
        terms = model.loss(model.batch(torch.arange(min(n, 32)), context))
        assert all(torch.isfinite(value) for value in terms.values())
        terms["total"].backward()
        without = [name for name, p in model.named_parameters() if p.grad is None]
        assert without == []

    def test_loss_falls(self, data):
        model, context = self.ready(data)
        settings = self.settings()
        step = Step(model, context, make_optimiser(model, settings))
        losses = []
        for epoch in range(6):
            model.start_epoch(epoch, context)
            losses.append(train_epoch(step, settings.batch_size)["total"])
        assert losses[-1] < losses[0]

    def test_scores_have_one_column_per_row_of_the_item_table(self, data):
        model, _ = self.ready(data)
        users = torch.arange(7)
        scores = model.eval().score(users, data.histories(users, "test", LENGTH))
        assert scores.shape == (7, data.item_size)
        assert torch.isfinite(scores[:, 1:-1]).all()

    @torch.no_grad()
    def test_score_does_not_depend_on_the_other_rows(self, data):
        model, _ = self.ready(data)
        users = torch.arange(9)
        sequences = data.histories(users, "test", LENGTH)
        together = model.eval().score(users, sequences)
        alone = torch.cat([model.score(users[i : i + 1], sequences[i : i + 1]) for i in range(9)])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)

    @torch.no_grad()
    def test_score_does_not_depend_on_padding(self, data):
        model, _ = self.ready(data)
        lengths = data.stops - data.starts
        users = (lengths == lengths.min()).nonzero().squeeze(1)[:5]
        known = int(lengths.min()) - 1
        short = data.histories(users, "test", known)
        padded = data.histories(users, "test", LENGTH)
        model.eval()
        torch.testing.assert_close(
            model.score(users, short), model.score(users, padded), rtol=1e-4, atol=1e-5
        )

    def test_padding_and_mask_are_never_recommended(self, data):
        """Their rows compete in the protocol of the released code, but must not win."""
        model, _ = self.ready(data)
        train(model, data, self.settings(max_epochs=3), seed=1, protocol=self.protocol)
        users = torch.arange(data.n_users)
        with torch.no_grad():
            scores = model.eval().score(users, data.histories(users, "test", LENGTH))
        best = scores[:, 1:-1].max(1).values
        assert (scores[:, 0] < best).float().mean() > 0.99

    def test_items_seen_before_compete_where_the_protocol_lets_them(self):
        check_repeats(self.make(repeating_data()), self.settings(max_epochs=2), self.protocol)

    def test_beats_popularity_on_the_known_answer(self, data):
        result = train(self.make(data), data, self.settings(), seed=1, protocol=self.protocol)
        floor = popularity.Model(popularity.Hyperparameters(), data.n_users, data.item_size)
        ranks = train(floor, data, TrainingSettings(max_epochs=1), seed=1).ranks["test"]
        assert summarise(result.ranks["test"])["HR@5"] > summarise(ranks)["HR@5"] + 0.1

    def test_same_seed_same_numbers_other_seed_other_numbers(self, data):
        def history(seed: int) -> list[float]:
            model = self.make(data, seed)
            result = train(model, data, self.settings(max_epochs=2), seed=seed)
            return [row["loss_total"] for row in result.history]

        first = history(1)
        assert history(1) == first
        assert history(2) != first

    def test_gradients_are_added_in_a_fixed_order(self, data):
        model, context = self.ready(data)
        batch = model.batch(torch.arange(min(model.n_samples(data), 32)), context)
        with OrderOfSums() as sums:
            model.loss(batch)["total"].backward()
        assert sums.unordered == [], "no two trainings with more than one thread would be alike"

    def test_saved_weights_give_the_same_ranks(self, data, tmp_path):
        model, _ = self.ready(data)
        result = train(model, data, self.settings(max_epochs=2), seed=1, protocol=self.protocol)
        write_weights(tmp_path / WEIGHTS, result.weights)
        other = self.make(data, seed=5)
        other.load_state_dict(read_weights(tmp_path / WEIGHTS))
        ranks = Evaluator(data, "test", LENGTH, other.protocol or self.protocol).ranks(other)
        np.testing.assert_array_equal(ranks, result.ranks["test"])

    def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(self, data, tmp_path):
        def trained(report=lambda row: None):
            checkpoints = Checkpoints(tmp_path, "identity", seconds_between=0)
            settings = self.settings(max_epochs=4)
            model = self.make(data)
            options = Options(report=report, checkpoints=checkpoints)
            return train(model, data, settings, seed=1, options=options)

        def interrupt(row):
            if row["epoch"] == 3:  # of which there is no checkpoint yet
                raise KeyboardInterrupt

        whole = train(self.make(data), data, self.settings(max_epochs=4), seed=1)
        with pytest.raises(KeyboardInterrupt):
            trained(interrupt)
        torch.manual_seed(99)  # another process has other numbers to start with
        resumed = trained()
        assert resumed.resumed_after == [2]
        assert resumed.best_epoch == whole.best_epoch
        for ours, theirs in zip(resumed.history, whole.history, strict=True):
            numbers = [key for key in theirs if not key.startswith("seconds_")]
            assert [ours[key] for key in numbers] == [theirs[key] for key in numbers]
        for split in ("valid", "test"):
            np.testing.assert_array_equal(resumed.ranks[split], whole.ranks[split])
        for name, weight in whole.weights.items():
            assert torch.equal(resumed.weights[name], weight), name

    def test_a_step_on_a_gpu_never_waits_for_it_and_knows_its_shapes(self):
        """What a CUDA graph asks for; see `tests.contract.capture`."""
        model, context = self.ready(cycle_data.__wrapped__())  # data of its own, which it spoils
        capture.check_step(model, context, samples=8)

    def test_without_padding_losses_and_gradients_are_those_of_whole_windows(
        self, data, monkeypatch
    ):
        """What the CPU computes against what a GPU does, which keeps the windows whole."""
        model, context = self.ready(data)
        model.eval()  # no dropout
        batch = model.batch(torch.arange(min(model.n_samples(data), 48)), context)

        def computed(cuts: bool) -> dict[str, torch.Tensor]:
            monkeypatch.setattr(padding, "cuts_padding", lambda tensor: cuts)
            monkeypatch.setattr(linear, "SMALL", 0 if cuts else sys.maxsize)  # by oneDNN or not
            model.zero_grad()
            terms = model.loss(batch)
            terms["total"].backward()
            gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
            return {name: value.detach() for name, value in terms.items()} | gradients

        cut, whole = computed(True), computed(False)
        for name, value in whole.items():
            # A sum is rounded in the size of its terms, not of what is left of them.
            atol = max(1e-6, 1e-5 * value.abs().max().item())
            torch.testing.assert_close(
                cut[name], value, rtol=1e-4, atol=atol, msg=lambda text, n=name: f"{n}: {text}"
            )

    def test_later_epochs_refill_tensors_where_they_lie(self, data):
        model, context = self.ready(data)
        first = capture.tensors(model)  # kept, so that their memory is not used again
        for epoch in (1, 2):
            model.start_epoch(epoch, context)
            now = capture.tensors(model)
            moved = [path for path in first if now[path].data_ptr() != first[path].data_ptr()]
            assert moved == [], f"start_epoch replaces {moved}, which self.keep would refill"

    def test_replayed_steps_train_as_eager_ones(self, data, monkeypatch):
        monkeypatch.setattr(padding, "cuts_padding", lambda tensor: False)  # as on a GPU
        recorder = capture.Recorder()
        eager = self.train_stepwise(data, None)
        replayed = self.train_stepwise(data, GraphedStep(recorder))
        assert (recorder.captures, recorder.replays) == (2, 12)  # of 18 steps, 3 of each size eager
        assert replayed[0] == eager[0]
        for name, weight in eager[1].items():
            assert torch.equal(replayed[1][name], weight), name

    def train_stepwise(
        self, data: InteractionData, graphed: GraphedStep | None
    ) -> tuple[list[dict[str, float]], dict[str, torch.Tensor]]:
        """Losses and weights after six epochs of two larger batches and a smaller one."""
        model, context = self.ready(data)
        optimiser = make_optimiser(model, self.settings())
        step = Step(model, context, optimiser, graphed)
        size = -(-model.n_samples(data) * 2 // 5)
        losses = []
        for epoch in range(6):
            model.start_epoch(epoch, context)
            losses.append(train_epoch(step, size))
        return losses, model.state_dict()
