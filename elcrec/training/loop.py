"""Training: one loop and one early-stopping rule for every model.

The whole protocol reads from top to bottom in `train`: hooks of the model, epochs of steps over a
random permutation of the samples, full-ranking validation after each epoch, the best epoch kept,
and one test with it at the end.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from elcrec.data.histories import InteractionData
from elcrec.data.repeats import refuse_repeats
from elcrec.evaluation.metrics import summarise
from elcrec.evaluation.ranking import Evaluator
from elcrec.models.interface import Context, RankingProtocol, SequenceModel
from elcrec.training.deadline import Deadline, OutOfTimeError
from elcrec.training.intents import IntentRecorder
from elcrec.training.result import Options, Result
from elcrec.training.resume import Resumable
from elcrec.training.settings import LAST, TrainingSettings
from elcrec.training.step import make_optimiser, make_step, train_epoch
from elcrec.training.turns import Stepwise, Turns
from elcrec.usage import Stopwatch

RECENT = 10
"""Number of past epochs that predict how long the next one will take."""


def new_model(
    kind: Callable[[Any, int, int], SequenceModel],
    parameters: Any,
    data: InteractionData,
    seed: int,
    start: Mapping[str, Tensor] | None = None,
) -> SequenceModel:
    """Make a model in its initial state, on the device of `data`.

    Args:
        kind: The class `Model` of the model's module.
        parameters: Its `Hyperparameters`.
        data: The histories.
        seed: Seeds the initial weights, which are drawn on the host: equal on every device.
        start: Weights of another model from which this one starts.

    Raises:
        InputError: `start` does not fit.
    """
    torch.manual_seed(seed)
    model = kind(parameters, data.n_users, data.item_size).to(data.device)
    if start is not None:
        model.load_start(start)
    return model


@Stepwise
def train(
    model: SequenceModel,
    data: InteractionData,
    settings: TrainingSettings,
    *,
    seed: int,
    protocol: RankingProtocol = "paper",
    options: Options | None = None,
) -> Turns[Result]:
    """Train `model` on the device of `data`, select by validation, test once.

    Args:
        model: Any model of the benchmark, already on the device.
        data: The histories.
        settings: Optimisation and selection.
        seed: Seeds sampling, dropout and k-means; the caller seeds the initial weights.
        protocol: How items seen before are ranked; see `SequenceModel.ranked_by`.
        options: Further options.

    Raises:
        InputError: The loss is no longer finite; or every target of a split is an item that the
            user has seen before and the protocol does not let compete.
        OutOfTimeError: The deadline is too close; a checkpoint has been written.
    """
    begin = time.perf_counter()
    options = options or Options()
    torch.manual_seed(seed)  # dropout
    stopwatch = Stopwatch(data.device)
    context = Context(data, torch.Generator(data.device).manual_seed(seed), seed, stopwatch)
    protocol = model.ranked_by(protocol)
    refuse_repeats(data.sequences.repeated(), data.n_users, protocol)
    validation = Evaluator(data, "valid", model.max_length, protocol)
    result = Result()

    model.train()
    model.start_training(context)
    optimiser = make_optimiser(model, settings)
    recorder = IntentRecorder(model, data, options.snapshot_epochs)
    resumable = Resumable(model, context, optimiser, result, recorder, options.checkpoints, begin)
    resumable.resume()
    step = make_step(model, context, optimiser, options.graphs, options.precision)
    while not finished(result, settings):
        if options.deadline and result.history:
            check_time(options.deadline, result, resumable.save)
        epoch = len(result.history) + 1
        before = dict(stopwatch.seconds)
        model.start_epoch(epoch - 1, context)
        if epoch == 1:
            recorder.before_training()
        with stopwatch("training"):
            losses = yield from train_epoch.in_turns(step, settings.batch_size, epoch)
        with stopwatch("validation"):
            ranks = validation.ranks(model)
        with stopwatch("intents"):
            intents = recorder.row(epoch)
        row = {"epoch": float(epoch)} | {f"loss_{name}": value for name, value in losses.items()}
        row |= summarise(ranks) | intents
        row |= {f"seconds_{k}": v - before.get(k, 0.0) for k, v in stopwatch.seconds.items()}
        result.history.append(row)
        if is_best(result, settings.select_by):
            result.best_epoch = epoch
            result.ranks["valid"] = ranks
            result.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
            result.run_state = {k: v.detach().clone() for k, v in model.run_state().items()}
        options.report(row)
        if options.checkpoints and options.checkpoints.due():
            resumable.save()

    model.load_state_dict(result.weights)
    model.load_run_state(result.run_state)
    result.intents = recorder.finish(result.best_epoch)
    if options.test:
        with stopwatch("test"):
            result.ranks["test"] = Evaluator(data, "test", model.max_length, protocol).ranks(model)
    result.seconds = dict(stopwatch.seconds) | {"total": resumable.elapsed()}
    return result


def finished(result: Result, settings: TrainingSettings) -> bool:
    """Whether all epochs are done, or `patience` of them brought no improvement."""
    epochs = len(result.history)
    waited = epochs - result.best_epoch
    return epochs >= settings.max_epochs or bool(settings.patience and waited >= settings.patience)


def is_best(result: Result, select_by: str) -> bool:
    """Whether the last epoch's validation is better than that of the best epoch so far."""
    if select_by == LAST or result.best_epoch == 0:
        return True
    return result.history[-1][select_by] > result.history[result.best_epoch - 1][select_by]


def check_time(deadline: Deadline, result: Result, save: Callable[[], None]) -> None:
    """Save and stop if an epoch as long as the longest of the last few would pass the deadline.

    Raises:
        OutOfTimeError: It would.
    """
    longest = max(
        sum(value for key, value in row.items() if key.startswith("seconds_"))
        for row in result.history[-RECENT:]
    )
    if deadline.comes_within(longest):
        save()
        raise OutOfTimeError(
            f"the time limit is near: stopped at a checkpoint after epoch {len(result.history)} "
            f"(an epoch takes {longest:.0f} s); the same command continues from there"
        )
