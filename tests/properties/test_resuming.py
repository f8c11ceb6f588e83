"""A training that is interrupted anywhere, several times, ends as one that never was: bit for bit.

The contract of every model has one interruption at one place; here are any number at any place.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import elcrec.models.elcrec
from baselines import (
    bert4rec,
    bprmf,
    caser,
    cl4srec,
    dssrec,
    gru4rec,
    iclrec,
    popularity,
    s3rec,
    s3rec_pretrain,
    sasrec,
)
from elcrec.config.build import build
from elcrec.jobs.checkpoints import Checkpoints
from elcrec.models.interface import SequenceModel
from elcrec.training.deadline import Deadline, OutOfTimeError
from elcrec.training.loop import train
from elcrec.training.result import Options, Result
from elcrec.training.settings import LAST, TrainingSettings
from tests.contract.contract import cycle_data
from tests.properties.strategies import SEEDS, cases

SMALL = {"dimension": 8, "max_length": 8}
INTENTS = SMALL | {"blocks": 1, "intents": 3}
MODELS: dict[str, tuple[ModuleType, dict[str, Any]]] = {
    "popularity": (popularity, {}),
    "bprmf": (bprmf, {"dimension": 8, "samples_per_epoch": 60}),
    "gru4rec": (gru4rec, SMALL | {"hidden": 8}),
    "gru4rec_ce": (gru4rec, SMALL | {"hidden": 8, "loss": "sampled_ce", "negatives": 9}),
    "caser": (caser, SMALL | {"max_length": 4, "horizontal_filters": 2, "samples_per_epoch": 90}),
    "sasrec": (sasrec, SMALL | {"blocks": 1}),
    "sasrec_ce": (sasrec, SMALL | {"blocks": 1, "loss": "ce"}),
    "dssrec": (dssrec, SMALL | {"intents": 3, "positions": 4}),
    "bert4rec": (bert4rec, SMALL | {"blocks": 1}),
    "s3rec_pretrain": (s3rec_pretrain, SMALL | {"blocks": 1, "prefix_share": 0.2}),
    "s3rec": (s3rec, SMALL | {"blocks": 1}),
    "cl4srec": (cl4srec, SMALL | {"blocks": 1}),
    "cl4srec_last": (cl4srec, SMALL | {"blocks": 1, "form": "last"}),
    "iclrec": (iclrec, INTENTS),
    "elcrec_shift": (elcrec.models.elcrec, INTENTS | {"fusion": "shift"}),
    "elcrec_concat": (elcrec.models.elcrec, INTENTS | {"fusion": "concat"}),
}


class Killed(BaseException):
    """Ends a training at once, like a signal; nothing catches it."""


@dataclass(frozen=True)
class Interruption:
    """How one attempt ends, if it gets so far."""

    kind: Literal["between", "within", "limit"]
    """Before the checkpoint of an epoch is written, within an epoch, or by a time limit."""
    at: int
    """Epoch, or for `within` the batch of this attempt."""
    damaged: bool
    """Whether the newest checkpoint is spoilt before the next attempt."""


@dataclass(frozen=True)
class Plan:
    """A training and what happens to it."""

    interruptions: list[Interruption]
    settings: TrainingSettings
    seed: int
    snapshots: tuple[int, ...]
    every_epoch: bool
    """Whether a checkpoint is due after every epoch; else only a time limit writes one."""


PLANS = st.builds(
    Plan,
    st.lists(
        st.builds(
            Interruption,
            st.sampled_from(["between", "limit", "within"]),
            st.sampled_from([2, 3, 4, 1]),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    st.builds(
        TrainingSettings,
        batch_size=st.sampled_from([16, 7, 64]),
        learning_rate=st.just(0.01),
        max_epochs=st.sampled_from([5, 4, 3]),
        patience=st.sampled_from([0, 3, 2]),
        select_by=st.sampled_from(["NDCG@20", "HR@5", LAST]),
    ),
    SEEDS,
    st.sampled_from([(0, 2), (), (1, 2, 3)]),
    st.sampled_from([True, True, False]),
)


class Attempt:
    """One process that trains until it is done or interrupted."""

    def __init__(self, interruption: Interruption | None) -> None:
        self.interruption = interruption
        self.epoch = 0  # none yet in this process
        self.batches = 0

    def is_at(self, kind: str, now: int) -> bool:
        planned = self.interruption
        return planned is not None and (planned.kind, planned.at) == (kind, now)

    def report(self, row: dict[str, float]) -> None:
        self.epoch = int(row["epoch"])
        if self.is_at("between", self.epoch):
            raise Killed

    def batch(self, made: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.batches += 1
            if self.is_at("within", self.batches):
                raise Killed
            return made(*arguments)

        return counted

    def deadline(self) -> Deadline:
        attempt = self

        class Scripted(Deadline):
            def comes_within(self, seconds: float) -> bool:
                return attempt.is_at("limit", attempt.epoch)

        return Scripted(0.0)


def make(name: str, seed: int) -> SequenceModel:
    module, parameters = MODELS[name]
    data = cycle_data(users=36)
    torch.manual_seed(seed)
    settings = build(module.Hyperparameters, parameters, "test")
    return module.Model(settings, data.n_users, data.item_size)


def attempt(name: str, plan: Plan, interruption: Interruption | None, folder: Path) -> Result:
    """Train as a new process would, from the checkpoints in the folder."""
    acting = Attempt(interruption)
    model = make(name, plan.seed)
    model.batch = acting.batch(model.batch)  # type: ignore[method-assign]
    options = Options(
        report=acting.report,
        checkpoints=Checkpoints(folder, "id", seconds_between=0 if plan.every_epoch else 1e9),
        deadline=acting.deadline(),
        snapshot_epochs=plan.snapshots,
    )
    torch.rand(5)  # another process is somewhere else with its random numbers
    return train(model, cycle_data(users=36), plan.settings, seed=plan.seed, options=options)


def interrupted(name: str, plan: Plan, folder: Path) -> Result:
    """Train through all interruptions of the plan."""
    for interruption in plan.interruptions:
        try:
            return attempt(name, plan, interruption, folder)
        except (Killed, OutOfTimeError):
            files = sorted(folder.glob("*.ckpt"))
            if interruption.damaged and files:
                files[-1].write_bytes(files[-1].read_bytes()[:-3])
    return attempt(name, plan, None, folder)


def compare(ours: Result, theirs: Result) -> None:
    """All but the seconds, to the last bit."""
    assert ours.best_epoch == theirs.best_epoch
    for mine, other in zip(ours.history, theirs.history, strict=True):
        numbers = [key for key in other if not key.startswith("seconds_")]
        np.testing.assert_equal([mine[key] for key in numbers], [other[key] for key in numbers])
    for of in ("weights", "run_state"):
        mine, other = getattr(ours, of), getattr(theirs, of)
        assert list(mine) == list(other)
        assert all(torch.equal(mine[key], other[key]) for key in other), of
    for of in ("ranks", "intents"):
        mine, other = getattr(ours, of), getattr(theirs, of)
        assert list(mine) == list(other)
        for key in other:
            np.testing.assert_array_equal(mine[key], other[key], err_msg=f"{of}: {key}")


@pytest.mark.parametrize("name", MODELS)
@cases(3, shrink=False)
@given(plan=PLANS)
def test_interruptions_change_nothing(name, plan):
    whole = train(
        make(name, plan.seed),
        cycle_data(users=36),
        plan.settings,
        seed=plan.seed,
        options=Options(snapshot_epochs=plan.snapshots),
    )
    with tempfile.TemporaryDirectory() as folder:
        compare(interrupted(name, plan, Path(folder)), whole)


def test_the_plans_do_interrupt(tmp_path):
    """So that the property above is not about trainings that were never stopped."""
    stops = [
        Interruption("between", 2, damaged=False),
        Interruption("within", 4, damaged=False),
        Interruption("limit", 3, damaged=True),
        Interruption("between", 4, damaged=False),
    ]
    settings = TrainingSettings(batch_size=16, max_epochs=4, patience=0)
    plan = Plan(stops, settings, seed=1, snapshots=(), every_epoch=True)
    # The third attempt went on after epoch 2 as well; its only checkpoint, which said so, is lost.
    assert interrupted("sasrec", plan, tmp_path).resumed_after == [1, 2, 3]


def test_a_time_limit_writes_the_checkpoint_that_was_not_due(tmp_path):
    stops = [Interruption("limit", 2, damaged=False), Interruption("limit", 3, damaged=False)]
    settings = TrainingSettings(batch_size=16, max_epochs=4, patience=0)
    plan = Plan(stops, settings, seed=1, snapshots=(), every_epoch=False)
    assert interrupted("sasrec", plan, tmp_path).resumed_after == [2, 3]
