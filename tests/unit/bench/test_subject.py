"""This project's models as they are measured."""

import numpy as np

from elcrec.bench.subject import Generated, Job, Subject
from elcrec.evaluation.ranking import Evaluator
from elcrec.evaluation.tiles import SCORE_MEMORY


def subject_of(model, users, items, **overrides):
    job = Job("beauty", model, overrides=overrides, device="cpu", threads=1)
    return Subject(job.changed(Generated(users, items)))


def test_a_step_on_the_cpu_reads_no_value_back():
    subject = subject_of("elcrec", 100, 50, intents=8, batch_size=16)
    subject.start(1)
    found = subject.profile(2)
    # Adam's kernel for processors reads its step counts, which lie on the host.
    assert set(found["waiting_per_step"]) <= {"aten::item (in aten::_fused_adam_)"}
    assert "aten::bmm" in found["table"]


class FakeStep:
    """Notes the batches."""

    def __init__(self, subject):
        self.model, self.context = subject.model, subject.context
        self.batches = []

    def __call__(self, samples, share):
        self.batches.append(len(samples))

    def read_losses(self, epoch):
        return {}


def test_a_group_of_steps_leaves_the_model_as_it_was():
    subject = subject_of("sasrec", 50, 20, batch_size=16)
    subject.step = step = FakeStep(subject)
    assert subject.round(2).keys() == {"step", "evaluation", "epoch"}
    assert step.batches == [16, 16]
    assert subject.model.n_samples(subject.data) == 50
    subject.epoch()
    assert step.batches[2:] == [16, 16, 16, 2]


def test_epochs_that_capture_graphs_go_before_those_that_count():
    subject = subject_of("sasrec", 20, 20, batch_size=16)
    subject.step, subject.uncounted = FakeStep(subject), 2
    for _ in range(2):
        subject.epoch()
    assert subject.epochs == 4


def test_a_model_without_parameters_takes_no_steps():
    subject = subject_of("popularity", 20, 20)
    subject.start()
    assert subject.round().keys() == {"evaluation", "epoch"}
    assert subject.profile() is None


def test_scores_of_a_million_items_stay_within_the_stated_memory(monkeypatch):
    subject = subject_of("bprmf", 40, 1_000_000, dimension=4)
    sizes, score_items = [], subject.model.score_items

    def recorded(represented, first, last):
        scores = score_items(represented, first, last)
        sizes.append(scores.nbytes)
        return scores

    monkeypatch.setitem(vars(subject.model), "score_items", recorded)
    subject.start(1)
    assert 10**6 < max(sizes) <= SCORE_MEMORY["cpu"]
    # the same ranks as with all scores at once
    whole = Evaluator(subject.data, "valid", subject.model.max_length, "strict", 2**32)
    small = Evaluator(subject.data, "valid", subject.model.max_length, "strict")
    np.testing.assert_array_equal(small.ranks(subject.model), whole.ranks(subject.model))
