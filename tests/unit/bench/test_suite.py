"""What the runs of a configuration take."""

import pytest

from elcrec.bench import suite, text
from elcrec.bench.measure import Plan
from elcrec.bench.side import ProcessError
from elcrec.bench.subject import Job
from elcrec.config.config import load_config
from elcrec.errors import InputError


def test_a_suite_is_every_model_and_what_it_starts_from_on_every_data_set():
    jobs = suite.jobs_of(Job("", ""), ["toys", "yelp"], ["sasrec", "s3rec"])
    assert [(job.dataset, job.model) for job in jobs] == [
        (dataset, model)
        for dataset in ("toys", "yelp")
        for model in ("sasrec", "s3rec_pretrain", "s3rec")
    ]


def record(job, plan, profile):
    """A run of 5 to 10 epochs of 2 s, 3 s before them and 1 s after."""
    if job.model == "caser":
        raise ProcessError("caser: was killed")
    one = {"median": 1.0, "min": 1.0, "max": 1.0}
    return {
        "model": job.model,
        "name": job.model.upper(),
        "dataset": job.dataset,
        "settings": {"training": {"max_epochs": 10, "patience": 4}},
        "seconds_to_prepare": 1.0,
        "seconds": {
            "start_training": 2.0,
            "step": one,
            "epoch": {"median": 2.0, "min": 1.0, "max": 9.0},
            "evaluation": one,
        },
        "epoch_is": "computed",
        "peak_memory": {"resident_bytes": 10**9, "cuda_allocated_bytes": None},
        "environment": {
            "device": "cpu: test",
            "commit": None,
            "dirty": True,
            "versions": {},
            "host_load": 2.0,
        },
    }


def test_the_time_of_all_runs_is_reckoned(tiny):
    config = load_config([tiny])  # two seeds; iclrec and elcrec are measured for one epoch
    models = ["sasrec", "iclrec", "caser"]
    jobs = suite.jobs_of(Job("", "", (str(tiny),)), ["tiny"], models)
    records = suite.measure_all(jobs, Plan(), measure=record)
    total = suite.total(records, config)
    run = records[0]["run"]
    assert (run["epochs_least"], run["epochs_most"]) == (5, 10)
    assert (run["least"], run["most"]) == (4 + 5 * 2, 4 + 10 * 2)
    assert total == {
        "seeds": 2,
        "runs": 4,
        "most": 4 * 24,
        "least": 4 * 14,
        "measurements": 1,
        "measuring": 4 + 2 * 2,
        "missing": 1,
    }
    printed = text.models({"models": records, "total": total})
    assert "Not measured: Caser on tiny: caser: was killed" in printed
    assert "not measured and not included: 1" in printed
    assert f"{24 / 3600:.3g} |" in printed


def test_a_suite_of_nothing_is_refused(tiny):
    jobs = suite.jobs_of(Job("", "", (str(tiny),)), ["tiny"], ["caser"])
    with pytest.raises(InputError, match="was killed"):
        suite.measure_all(jobs, Plan(), measure=record)
