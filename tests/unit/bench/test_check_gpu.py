"""`elcrec check-gpu` on a processor: both devices are the same one, or made up."""

import json
import tarfile
from pathlib import Path

import pytest

from elcrec.bench import check_gpu
from elcrec.bench.check_gpu import Check, Worker
from elcrec.bench.subject import Job
from elcrec.cli.check_gpu import _plan as left
from elcrec.cli.main import main
from elcrec.config.config import load_config
from tests.workflow.make_tiny import write


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("check")
    config = write(folder, models=["bprmf", "sasrec"])
    for step in ("fetch", "prepare"):
        words = ["--dataset", "tiny", "--config", str(config)]
        assert main(["data", step, *words, "--output", str(folder / "data" / "tiny")]) == 0
    (folder / "plan.yaml").write_text("- {datasets: [tiny], models: [bprmf], seeds: [1, 2]}\n")
    return config


def command(tiny, *more):
    words = ["--device", "cpu", "--dataset", "tiny", "--config", str(tiny), "--threads", "1"]
    return main(["check-gpu", *words, "--plan", str(tiny.parent / "plan.yaml"), *more])


def test_all_parts_on_a_processor(tiny, monkeypatch, capsys):
    monkeypatch.setattr(check_gpu, "WAYS", {"GPU": {}, "bf16": {"precision": "bf16"}})
    monkeypatch.setattr(check_gpu, "COUNTS", (1, 2))
    monkeypatch.setattr(check_gpu, "SHARES", {})
    efficiency = tiny.parent / "efficiency.yaml"
    efficiency.write_text("efficiency: {models: [sasrec, bprmf]}\n")
    assert command(tiny, str(efficiency), "--config", str(efficiency), "--minutes", "5") == 2
    assert "unrecognized" in capsys.readouterr().err
    assert command(tiny, "--config", str(efficiency), "--minutes", "5") == 0
    printed = capsys.readouterr().out
    assert "21 skipped." in printed  # by pytest, as there is no GPU
    assert "| BPR-MF |" in printed
    assert "+0.00 %" in printed  # the same device twice, with the same draws
    assert "- All are within the tolerance." in printed
    assert "Failed" not in printed
    assert "tiny bprmf seed 1: HR@5" in printed
    folder = tiny.parent / "results" / "check-gpu"
    found = json.loads((folder / "check-gpu.json").read_text())["parts"]
    assert [row["count"] for row in found["side by side"]["found"]] == [1, 2, 1, 2]
    assert [row["model"] for row in found["alone"]["found"]] == ["sasrec", "bprmf"]
    bf16 = found["models"]["found"][1]["ways"]["bf16"]
    assert bf16["loss"] != found["models"]["found"][1]["ways"]["GPU"]["loss"]
    with tarfile.open(folder / "check-gpu.tar.gz") as packed:
        names = packed.getnames()
    assert {"check-gpu.md", "check-gpu.json", "runs/tiny/bprmf/1/metrics.json"} <= set(names)


def test_no_time_ends_every_part_and_is_told(tiny, capsys):
    assert command(tiny, "--minutes", "0.001", "--output", str(tiny.parent / "short")) == 1
    printed = capsys.readouterr().out
    assert printed.count("no time was left") == 5
    assert (tiny.parent / "short" / "check-gpu.tar.gz").exists()


class Broken:
    """Stands for a GPU on which one model ends the process and another refuses."""

    def __init__(self, device, threads):
        pass

    def about(self):
        return {
            "device": "cuda: made up",
            "versions": {},
            "commit": None,
            "dirty": True,
            "host_load": 0.0,
        }

    def epochs(self, job):
        if job.model == "bprmf":
            raise SystemExit("illegal memory access")
        return {"loss": 2.0 if job.device == "cpu" else 2.1, "step": {"median": 1.0}} | {
            "evaluation": 2.0,
            "steps": 10,
            "epochs": 300,
            "peak_memory": {"cuda_allocated_bytes": 5e6},
        }


def check(tiny, **more):
    config = load_config([tiny])
    job = Job("tiny", "", (str(tiny),), device="auto")
    return Check(config, job, tiny.parent / "made-up", 600, [], **more)


def test_a_model_that_fails_and_one_that_is_off(tiny, monkeypatch):
    monkeypatch.setattr(check_gpu, "Ways", Broken)
    made = check(tiny)
    found = made._models(60)
    made.parts["models"] = {"found": found}
    told = made.text()
    assert "cuda: made up" in told
    assert "- **Failed**: BPR-MF, CPU: SystemExit: illegal memory access" in told
    assert "+5.00 % (too large)" in told
    assert "- **Outside the tolerance**: SASRec (GPU), SASRec (graphs), SASRec (TF32), " in told
    # 2 seeds of 300 epochs of 10 steps and an evaluation
    assert "of 1 of 2 models" in told
    assert "at most 2 h" in told


def test_a_worker_is_begun_anew_after_a_failure(tiny, monkeypatch):
    monkeypatch.setattr(check_gpu, "Ways", Broken)
    job = Job("tiny", "bprmf", (str(tiny),))
    with Worker(60, job) as worker:
        assert "failed" in worker.ask("epochs", job=job)
        assert worker.ask("about")["device"] == "cuda: made up"
    with Worker(0, job) as worker:
        assert worker.ask("about") == {"failed": "no time was left"}


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({(1, False): 2.0, (2, False): 3.0}, (1, False)),  # 1.33 times is not worth it
        ({(1, False): 2.0, (2, False): 2.4, (4, True): 3.0}, (4, True)),
        ({(2, False): 2.0}, (1, False)),  # there is nothing to compare with
    ],
)
def test_side_by_side_only_where_it_is_worth_it(tiny, seconds, best):
    made = check(tiny)
    rows = [{"count": c, "graphs": g, "seconds": s} for (c, g), s in seconds.items()]
    made.parts["side by side"] = {"found": [*rows, {"count": 8, "graphs": True, "failed": "why"}]}
    assert made._best() == best


def test_what_is_too_large_is_left_out_of_the_archive(tiny, monkeypatch):
    made = check(tiny)
    made.folder.mkdir(exist_ok=True)
    (made.folder / "large.log").write_bytes(b"x" * 5000)
    monkeypatch.setattr(check_gpu, "MOST_BYTES", 4000)
    assert "large.log" in made._write()
    with tarfile.open(made.folder / "check-gpu.tar.gz") as packed:
        assert "large.log" not in packed.getnames()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--minutes", "0"], "--minutes 0: must be above 0"),
        (["--device", "auto"], "no GPU found; --device cpu tries out the command"),
        (["--dataset", "nowhere"], "unknown data set 'nowhere'"),
        (["--plan", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_wrong_options_are_one_line(tiny, words, message, capsys):
    assert command(tiny, *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not Path("check-gpu").exists()


@pytest.mark.parametrize(("cuda", "seeds"), [(None, [1, 2]), ("12.8", [2])])
def test_runs_that_a_gpu_has_recorded_are_left_out(tiny, monkeypatch, cuda, seeds):
    class Recorded:
        key = ("tiny", "bprmf", "", 1)
        environment = type("E", (), {"cuda": cuda})

    monkeypatch.setattr("elcrec.runs.places.machines", lambda record: ["a machine"])
    monkeypatch.setattr("elcrec.recorded.folder.recorded_runs", lambda machine: [Recorded])
    entries = left(tiny.parent / "plan.yaml", load_config([tiny]))
    assert [entry["seeds"] for entry in entries] == [[seed] for seed in seeds]
    (tiny.parent / "else.yaml").write_text("- {datasets: [beauty], models: [bprmf]}\n")
    nowhere = load_config([tiny]).replaced(data=tiny.parent / "nowhere")
    assert left(tiny.parent / "else.yaml", nowhere) == []  # not prepared here
