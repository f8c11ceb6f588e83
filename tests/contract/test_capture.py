"""The contract's checks of a training step find what they are there for."""

import pytest
import torch

import baselines.bprmf
import baselines.sasrec
from elcrec.data.samples import choose_samples
from tests.contract.capture import check_step, tensors
from tests.contract.contract import ModelContract, cycle_data


def reads_a_number(batch):
    return batch.inputs.sum().item() * 0


def reads_a_list(batch):
    return len(batch.users.tolist()) * 0


def reads_a_condition(batch):
    return 0 if (batch.targets > 0).any() else 1


def copies_to_the_host(batch):
    return batch.inputs.cpu().sum() * 0


def copies_from_the_host(batch):
    return (torch.arange(4).to(batch.inputs.device) * 0).sum()


def makes_a_tensor_of_a_list(batch):
    return torch.tensor([0, 0], device=batch.inputs.device).sum()


def indexes_with_a_list(batch):
    return batch.inputs[:, [0, 1]].sum() * 0


def indexes_with_a_mask(batch):
    return batch.inputs[batch.inputs > 0].sum() * 0


def assigns_tensors_with_a_mask(batch):
    copy = batch.inputs.clone()
    copy[copy > 0] = torch.zeros(3, dtype=copy.dtype, device=copy.device)
    return copy.sum() * 0


def lists_the_real_positions(batch):
    return batch.inputs.nonzero().sum() * 0


def counts_the_different_items(batch):
    return len(batch.inputs.unique()) * 0


DEFECTS = [
    reads_a_number,
    reads_a_list,
    reads_a_condition,
    copies_to_the_host,
    copies_from_the_host,
    makes_a_tensor_of_a_list,
    indexes_with_a_list,
    indexes_with_a_mask,
    assigns_tensors_with_a_mask,
    lists_the_real_positions,
    counts_the_different_items,
]


class WithDefect(baselines.sasrec.Model):
    defect = staticmethod(lambda batch: 0)

    def loss(self, batch):
        terms = super().loss(batch)
        return terms | {"total": terms["total"] + self.defect(batch)}


class Contract(ModelContract):
    module = baselines.sasrec
    parameters = {"dimension": 16, "blocks": 1}

    def __init__(self, model=WithDefect):
        self.model = model

    def make(self, data, seed=1):
        torch.manual_seed(seed)
        parameters = self.module.Hyperparameters(**self.parameters)
        return self.model(parameters, data.n_users, data.item_size)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda f: f.__name__)
def test_a_step_that_waits_for_the_device_is_refused(defect, monkeypatch):
    model, context = Contract().ready(cycle_data.__wrapped__())
    monkeypatch.setattr(WithDefect, "defect", staticmethod(defect))
    reasons = "depends on values|from the host|Cannot copy out of meta tensor"
    with pytest.raises(RuntimeError, match=reasons):
        check_step(model, context, samples=8)


def test_what_a_gpu_can_do_passes():
    def harmless(batch):
        copy = batch.inputs.clone()
        copy[copy > 9] = 0  # filled, whatever the mask
        copy[:, -1] = 0
        number = torch.tensor([0.5, 1.0]).sum().item()  # all of it on the host
        return torch.where(copy > 0, 0, copy).sum() * 0.0 + torch.tensor(number)

    model, context = Contract().ready(cycle_data.__wrapped__())
    model.defect = harmless
    check_step(model, context, samples=8)


class Pairs(Contract):
    module = baselines.bprmf
    parameters = {"dimension": 4, "samples_per_epoch": 100}


class Replaces(baselines.bprmf.Model):
    def start_epoch(self, epoch, context):
        self.chosen = choose_samples(len(self.pair_users), 100, context.generator)


class ReadsTheEpoch(baselines.bprmf.Model):
    def start_epoch(self, epoch, context):
        super().start_epoch(epoch, context)
        self.weight = 1.0 / (1 + epoch)

    def loss(self, batch):
        terms = super().loss(batch)
        return terms | {"total": terms["total"] * self.weight}


def test_a_tensor_that_is_replaced_between_epochs_is_named():
    with pytest.raises(AssertionError, match=r"Replaces\.chosen"):
        Pairs(Replaces).test_later_epochs_refill_tensors_where_they_lie(cycle_data())


@pytest.mark.parametrize("model", [Replaces, ReadsTheEpoch])
def test_what_goes_stale_in_a_graph_shows(model, monkeypatch):
    contract = Pairs(model)
    with pytest.raises(AssertionError):
        contract.test_replayed_steps_train_as_eager_ones(cycle_data(), monkeypatch)


def test_all_tensors_of_a_model_are_found():
    model, _ = Contract().ready(cycle_data())
    model.held = {"list": [(torch.ones(1), "text")]}
    found = tensors(model)
    assert "WithDefect.held.list.0.0" in found
    assert {id(p) for p in model.parameters()} <= {id(t) for t in found.values()}
