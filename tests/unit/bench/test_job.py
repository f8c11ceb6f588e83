"""`elcrec bench`: structure and order; no test looks at how long anything takes."""

import json
import sys

import pytest
import torch

from elcrec.bench import operators, rounds, suite, text
from elcrec.bench.generate import generate
from elcrec.bench.job import Generated, Job
from elcrec.bench.peaks import Peaks
from elcrec.bench.process import Process, ProcessError
from elcrec.bench.subject import Subject, limited
from elcrec.cli.main import main
from elcrec.config.config import load_config
from elcrec.data.histories import InteractionData
from elcrec.errors import InputError
from elcrec.runs.settings import resolve

QUICK = ["--repeats", "2", "--steps", "1", "--threads", "1", "--device", "cpu"]


def bench(config, *extra):
    return main(["bench", "--dataset", "tiny", "--config", str(config), *QUICK, *extra])


class FakeSide:
    """Counts steps, and says in which order it was asked."""

    def __init__(self, name, calls, trained=True):
        self.name, self.calls, self.trained = name, calls, trained

    def ask(self, what, timeout=None, **arguments):
        self.calls.append((self.name, what))
        return {
            "start": {"start_training": 1.0, "start_epoch": 0.5, "uncounted_epochs": 0},
            "steps": {"count": 3, "seconds_per_step": 2.0 if self.trained else None},
            "evaluate": {"seconds": 4.0},
            "epoch": {"start_epoch": 0.5, "training": 20.0, "evaluation": 4.0, "total": 24.5},
            "memory": {"resident_bytes": 10**6},
        }[what]


def test_sides_take_turns_and_warm_up_is_not_counted():
    calls = []
    sides = {name: FakeSide(name, calls) for name in ("released", "here")}
    found = rounds.alternate(sides, rounds.Plan(repeats=2, epochs=1))
    r, h = "released", "here"
    warm_up = [(s, w) for s in (r, h) for w in ("steps", "steps", "evaluate")]  # 2 x 3 >= 5 steps
    one_round = [(r, "steps"), (h, "steps"), (r, "evaluate"), (h, "evaluate")]
    assert calls == [
        *[(r, "start"), (h, "start")],
        *warm_up,
        *one_round,
        *one_round,
        *[(r, "epoch"), (h, "epoch"), (r, "memory"), (h, "memory")],
    ]
    assert found["here"].step == [2.0, 2.0]


def test_an_epoch_is_computed_when_none_is_measured():
    found = rounds.alternate({"here": FakeSide("here", [])}, rounds.Plan(repeats=3, epochs=0))
    report = found["here"].report(steps_per_epoch=10)
    assert report["epoch_is"] == "computed"
    assert report["seconds"]["epoch"] == {"median": 24.5, "min": 24.5, "max": 24.5}


def test_a_model_without_steps_has_evaluations_only():
    side = FakeSide("here", [], trained=False)
    report = rounds.alternate({"here": side}, rounds.Plan(epochs=0))["here"].report(0)
    assert report["seconds"]["step"] is None
    assert report["seconds"]["epoch"]["median"] == 4.5


def test_ratios_are_those_of_rounds():
    assert rounds.ratios([2.0, 9.0], [1.0, 3.0]) == {"median": 2.5, "min": 2.0, "max": 3.0}


def test_models_are_measured_printed_and_written(tiny, tmp_path, capsys):
    path = tmp_path / "bench.json"
    models = ["--model", "elcrec", "--model", "popularity"]
    assert bench(tiny, *models, "--epochs", "1", "--profile", "--json", str(path)) == 0
    record = json.loads(path.read_text())
    assert (record["format"], record["kind"]) == (1, "models")
    elcrec, popularity = record["models"]
    for key in ("step", "epoch", "evaluation"):
        spread = elcrec["seconds"][key]
        assert 0 < spread["min"] <= spread["median"] <= spread["max"]
    assert len(elcrec["rounds"]["step"]) == 2
    assert elcrec["epoch_is"] == "measured"
    assert elcrec["steps_per_epoch"] == 2  # 120 users, batches of 64
    assert elcrec["peak_memory"]["resident_bytes"] > 10**8
    assert elcrec["settings"]["parameters"]["intents"] == 8
    assert {"commit", "versions", "device", "threads"} <= set(elcrec["environment"])
    assert elcrec["environment"]["command"] == record["command"]
    assert popularity["seconds"]["step"] is None
    assert popularity["profile"] is None
    printed = capsys.readouterr().out
    assert "s per step" in printed
    assert "aten::" in printed
    assert "Popularity: takes no training steps" in printed


def test_a_step_on_the_cpu_reads_no_value_back():
    job = Job("beauty", "elcrec", overrides={"intents": 8, "batch_size": 16}, device="cpu")
    subject = Subject(job.changed(Generated(users=100, items=50)))
    subject.start()
    found = subject.profile(1)["profile"]
    # Adam's kernel for processors reads its step counts, which lie on the host.
    assert set(found["waiting_per_step"]) <= {"aten::item (in aten::_fused_adam_)"}
    assert "aten::mm" in found["table"]


def test_a_wait_is_found_and_named_with_its_caller():
    weights = torch.ones(4)

    def run(steps):
        for _ in range(steps):
            weights[weights > 0].sum().item()
        weights.sum().item()

    found = operators.profile(run, 2, torch.device("cpu"))
    every = {"aten::item (in no operator)": 1, "aten::nonzero (in aten::index)": 1}
    assert found["waiting_per_step"] == every
    assert found["waiting_per_group"] == {"aten::item (in no operator)": 1}


def test_calls_in_a_step_are_told_from_calls_in_a_group():
    few = {"aten::item": 2 * 3 + 1, "aten::mm": 30, "Memcpy DtoH (Device -> Pinned)": 1}
    many = {"aten::item": 4 * 3 + 1, "aten::mm": 60, "Memcpy DtoH (Device -> Pinned)": 1}
    assert operators.waiting(few, many, 2) == {
        "waiting_per_step": {"aten::item": 3},
        "waiting_per_group": {"aten::item": 1, "Memcpy DtoH (Device -> Pinned)": 1},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--repeats", "0"], "--repeats 0: must be 1 or more"),
        (["--model", "gpt"], "unknown model 'gpt'"),
        (["--set", "nothing=1"], "--set nothing=1: unknown key; allowed: "),
        (["--dataset", "toys"], "not there yet; make it with: snakemake"),
        (["--against", "nowhere"], "--against nowhere: no such folder; clone github.com"),
        (["--against", ".", "--model", "elcrec", "--model", "sasrec"], "takes one --model, not 2"),
        (["--scale", "--dataset", "toys"], "--scale: takes one --dataset, not 2"),
        (["--scale", "--scale-from", "nothing.json"], "nothing.json: cannot be read"),
        (["--suite", "--model", "gpt"], "unknown model 'gpt'"),
        (["--suite", "--profile"], "--profile: not with --suite"),
        (["--scale", "--scale-budget", "0"], "must be more than 0"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(tiny, capsys, arguments, message):
    assert bench(tiny, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_data_sets_are_measured_one_after_the_other(tiny, capsys):
    models = ["--model", "popularity", "--epochs", "0"]
    assert bench(tiny, "--dataset", "tiny", *models) == 0
    assert capsys.readouterr().out.count("Popularity  tiny") == 2


def test_a_suite_is_every_model_and_what_it_starts_from_on_every_data_set():
    jobs = suite.jobs_of(Job("", ""), ["toys", "yelp"], ["sasrec", "s3rec"])
    assert [(job.dataset, job.model) for job in jobs] == [
        (dataset, model)
        for dataset in ("toys", "yelp")
        for model in ("sasrec", "s3rec_pretrain", "s3rec")
    ]


def suite_record(job, plan):
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
    found = suite.measure_all(jobs, rounds.Plan(), config, measure=suite_record)
    run = found["pairs"][0]["run"]
    assert (run["epochs_least"], run["epochs_most"]) == (5, 10)
    assert (run["least"], run["most"]) == (4 + 5 * 2, 4 + 10 * 2)
    assert found["total"] == {
        "seeds": 2,
        "runs": 4,
        "most": 4 * 24,
        "least": 4 * 14,
        "measurements": 1,
        "measuring": 4 + 2 * 2,
        "missing": 1,
    }
    printed = text.suite(found)
    assert "Not measured: Caser on tiny: caser: was killed" in printed
    assert "not measured and in no sum: 1" in printed
    assert f"{24 / 3600:.3g} |" in printed


def test_a_suite_of_nothing_is_refused(tiny):
    jobs = suite.jobs_of(Job("", "", (str(tiny),)), ["tiny"], ["caser"])
    with pytest.raises(InputError, match="was killed"):
        suite.measure_all(jobs, rounds.Plan(), load_config([tiny]), measure=suite_record)


def test_a_suite_is_measured_printed_and_written(tiny, tmp_path, capsys):
    path = tmp_path / "suite.json"
    models = ["--model", "popularity", "--model", "elcrec"]
    chosen = ["--dataset", "toys", *models, "--json", str(path)]
    assert bench(tiny, "--suite", *chosen) == 0
    record = json.loads(path.read_text())
    assert record["kind"] == "suite"
    popularity, elcrec = record["pairs"][:2]
    assert popularity["run"]["epochs_most"] == 1
    assert elcrec["run"]["most"] > elcrec["run"]["epochs_most"] * elcrec["run"]["epoch"] > 0
    # Toys is not prepared
    assert "make it with: snakemake" in record["pairs"][2]["not_run"]
    assert record["total"]["missing"] == 2
    printed = capsys.readouterr().out
    assert printed.startswith("| Data set | Model ")
    assert "All 4 runs (2 seeds" in printed


def test_peaks_of_a_part_are_its_own_and_the_whole_keeps_them():
    peaks = Peaks(torch.device("cpu"))
    held = torch.ones(2**24)  # 64 MiB
    taken = peaks.of(lambda: torch.ones(2**25).sum())
    # The kernel counts resident pages in batches for each processor, so the last few hundred KB of
    # 128 MiB can be missing.
    assert 2**27 - 2**20 <= taken < 2**27 + 2**25
    before = peaks.all()["resident_bytes"]
    assert peaks.of(lambda: None) < 2**24
    assert peaks.all()["resident_bytes"] >= before >= 2**27 - 2**20 + held.nbytes


def test_a_refusal_of_the_measuring_process_is_one_line(tiny, capsys):
    assert bench(tiny, "--set", "intents=5000") == 2
    assert "intents: 5000 clusters need at least as many users" in capsys.readouterr().err


def test_a_process_that_ends_is_one_line():
    code = "import sys; sys.stdin.readline(); print('first'); raise SystemExit('no luck')"
    with (
        Process("it", [sys.executable, "-c", code.replace("print('first'); ", "")]) as process,
        pytest.raises(ProcessError, match="it: ended with status 1: no luck"),
    ):
        process.ask("anything")


def test_a_process_that_takes_too_long_is_ended():
    code = "import sys, time; sys.stdin.readline(); time.sleep(60)"
    with (
        Process("it", [sys.executable, "-c", code]) as process,
        pytest.raises(ProcessError, match="stopped, was not done after"),
    ):
        process.ask("anything", timeout=0.1)


def test_a_job_survives_json():
    job = Job("beauty", "elcrec", ("a.yaml",), {"alpha": 1}, generated=Generated(10, 20))
    assert Job.read(json.loads(json.dumps(job.as_dict()))) == job


def test_limited_puts_the_model_back():
    settings = resolve(load_config(), "bprmf", "beauty")
    model = settings.build(10, 12)
    data = InteractionData(generate(10, 10))
    before = model.n_samples(data)
    with limited(model, 3):
        assert model.n_samples(data) == 3
    assert model.n_samples(data) == before
