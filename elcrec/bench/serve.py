"""`elcrec bench --serve`: how fast models answer, one request at a time and 1,024 at once.

A request is a user's history before the test item; the answer is the top-20 list of items that are
not in it. Weights are random: neither time nor size depends on them.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elcrec.bench.generate import shuffled
from elcrec.bench.measure import Report
from elcrec.bench.side import SEED
from elcrec.bench.subject import Job
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.evaluation.lists import LISTED
from elcrec.jobs.device import choose
from elcrec.jobs.environment import environment
from elcrec.training.loop import new_model

BATCH = 1024
CONDITIONS = ("device", "cores", "threads", "versions", "commit", "dirty", "host_load")
"""What is recorded of the environment."""
WARM_UP = 20
"""Requests that are not counted."""


def measure_all(
    jobs: Sequence[Job], repeats: int = 5, report: Report = lambda line: None
) -> dict[str, Any]:
    """Measure every job in turn.

    Args:
        jobs: Models on data sets, all on one device.
        repeats: Batches of `BATCH` users, and that many times 100 single requests.
        report: Called before each job.

    Returns:
        `environment`, and `models`: the result of `measure` for each, or `not_run`, the reason.
    """
    records = []
    for number, job in enumerate(jobs, 1):
        report(f"{number} of {len(jobs)}: {job.model} on {job.dataset} ...")
        try:
            records.append(measure(job, repeats))
        except InputError as error:
            report(str(error))
            named = {"dataset": job.dataset, "model": job.model}
            records.append(named | {"name": job.resolve()[1].name, "not_run": str(error)})
    device = choose(jobs[0].device, jobs[0].threads or jobs[0].resolve()[0].threads)
    machine = environment(device)
    return {"models": records, "environment": {key: machine[key] for key in CONDITIONS}}


def measure(job: Job, repeats: int) -> dict[str, Any]:
    """Measure one model.

    Returns:
        Seconds of one request: `latency`, the median, and `latency95`, the 95th percentile;
        `batch`: median seconds of a batch, and `per_second`, users; `parameters`: numbers stored
        in the model, trained or counted, and their `bytes`.

    Raises:
        InputError: A model, setting or data set is invalid.
    """
    config, settings = job.resolve()
    device = choose(job.device, job.threads or config.threads)
    data = InteractionData(
        shuffled(read_sequences(config.prepared_file(job.dataset)), SEED), device
    )
    model = new_model(settings.module.Model, settings.parameters, data, SEED).eval()
    tensors = model.state_dict().values()

    @torch.inference_mode()
    def seconds(users: np.ndarray) -> float:
        begin = time.perf_counter()
        user_ids = data.tensor(users)
        lengths = (data.stops[user_ids] - data.starts[user_ids]).tolist()
        history = data.histories(user_ids, "test", max(lengths))
        scores = model.score(user_ids, history[:, -model.max_length :])
        scores.scatter_(1, history, float("-inf"))  # items seen before, and padding
        scores[:, -1] = float("-inf")
        best: Tensor = scores.topk(min(LISTED, data.n_items)).indices
        best.cpu()  # waits for the device
        return time.perf_counter() - begin

    single = [seconds(np.array([n % data.n_users])) for n in range(WARM_UP + 100 * repeats)]
    batch_users = np.arange(BATCH) % data.n_users
    batch = np.median([seconds(batch_users) for _ in range(repeats + 1)][1:])
    return {
        "dataset": job.dataset,
        "model": settings.model,
        "name": settings.name,
        "latency": float(np.median(single[WARM_UP:])),
        "latency95": float(np.quantile(single[WARM_UP:], 0.95)),
        "batch": float(batch),
        "per_second": float(BATCH / batch),
        "parameters": sum(value.numel() for value in tensors),
        "bytes": sum(value.numel() * value.element_size() for value in tensors),
    }
