"""`elcrec check-gpu`: which parts of this suite work on a GPU, and how fast; then full runs.

Each part runs in its own process: one that fails or takes too long is reported and stops no other.
Results are written after every part, so that little is lost if the check is cut short.
"""

import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from elcrec import ROOT
from elcrec.bench.check_text import WORTH, checked
from elcrec.bench.measure import Report
from elcrec.bench.side import Process, ProcessError
from elcrec.bench.subject import Job
from elcrec.bench.suite import jobs_of
from elcrec.bench.ways import Ways
from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.files.atomic import replaced, write_json, write_text
from elcrec.files.jsonfile import read_object
from elcrec.files.yamlfile import dump
from elcrec.training.deadline import EXIT_STATUS

WAYS: dict[str, dict[str, Any]] = {
    "GPU": {},
    "graphs": {"graphs": True},
    "TF32": {"precision": "tf32"},
    "bf16": {"precision": "bf16"},
}
"""Ways to train on the GPU, and the fields of a `Job` that each changes; the CPU comes first."""
COUNTS = (1, 2, 4, 8)
"""Numbers of runs side by side."""
MOST_BYTES = 16_000_000
"""Largest size of the archive."""
SHARES = {"tests": 0.25, "models": 0.45, "side by side": 0.25, "alone": 0.3}
"""Largest share of the remaining time that a part may take; the runs may take all of it."""
NAMES = ("check-gpu.json", "check-gpu.md", "check-gpu.tar.gz")


@dataclass
class Check:
    """A check that is being carried out."""

    config: Config
    job: Job
    """Everything but the model; its device is the one that is checked."""
    folder: Path
    """Where everything is written."""
    seconds: float
    """Wall-clock limit of the whole check."""
    plan: list[dict[str, list[Any]]]
    """Runs of the full protocol, as `elcrec batch` reads them."""
    report: Report = lambda line: None
    parts: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    """What each part found, or why it `failed`, and its `seconds`."""
    machine: dict[str, Any] = field(default_factory=dict, init=False)
    """The environment of the device, once it has answered."""
    begin: float = field(default_factory=time.monotonic, init=False)

    @property
    def left(self) -> float:
        """Seconds until the end."""
        return max(0.0, self.begin + self.seconds - time.monotonic())

    def carry_out(self) -> str:
        """Run all parts; returns the report on them, which is also written."""
        parts: dict[str, Callable[[float], Any]] = {
            "tests": self._tests,
            "models": self._models,
            "side by side": self._side_by_side,
            "alone": self._alone,
            "runs": self._runs,
        }
        for name, part in parts.items():
            limit, begin = self.left * SHARES.get(name, 1.0), time.monotonic()
            self.report(f"{name}, at most {limit:.0f} s ...")
            try:
                result = {"found": part(limit)} if limit >= 1 else {"failed": "no time was left"}
            except (InputError, OSError, subprocess.SubprocessError) as error:
                result = {"failed": " ".join(str(error).split())}
                self.report(f"{name}: {result['failed']}")
            self.parts[name] = result | {"seconds": time.monotonic() - begin}
            text = self._write()
        return text

    def _tests(self, limit: float) -> dict[str, Any]:
        """All tests that need a GPU."""
        files = [f for f in (ROOT / "tests").rglob("test_*.py") if "mark.gpu" in f.read_text()]
        if not files:
            raise InputError("no tests found; run this in a checkout of the project")
        args = ["pytest", "-m", "gpu", "-q", "-rf", "-p", "no:cacheprovider", *map(str, files)]
        output = self._python(*args, limit=limit, log="tests.log", statuses=(0, 1))
        counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped)", output)}
        if not counts:
            raise InputError(f"pytest: {output.strip().splitlines()[-1:] or 'no output'}")
        failed = [line for line in output.splitlines() if line.startswith("FAILED")]
        return {"counts": counts, "failed_tests": failed}

    def _models(self, limit: float) -> list[dict[str, Any]]:
        """Every model on the CPU and in all ways on the GPU."""
        jobs = jobs_of(self.job, [self.job.dataset], self.config.models)
        results = []
        with Worker(limit, self.job) as worker:
            self.machine = worker.ask("about")
            for job in jobs:
                name = job.resolve()[1].name
                self.report(f"models: {name} ...")
                ways = {"CPU": worker.ask("epochs", job=replace(job, device="cpu"))}
                for way, change in WAYS.items():
                    ways[way] = worker.ask("epochs", job=replace(job, **change))
                results.append({"model": job.model, "name": name, "ways": ways})
        return results

    def _side_by_side(self, limit: float) -> list[dict[str, Any]]:
        """ELCRec, or the last model, several times at once, with CUDA graphs and without."""
        models = self.config.models
        job = replace(self.job, model="elcrec" if "elcrec" in models else models[-1])
        with Worker(limit, self.job) as worker:
            return [
                {"count": count, "graphs": graphs}
                | worker.ask("side_by_side", job=replace(job, graphs=graphs), count=count)
                for graphs in (False, True)
                for count in COUNTS
            ]

    def _alone(self, limit: float) -> list[dict[str, Any]]:
        """Measurements for Tables 2 and 3 of the two models that the paper compares."""
        end, records = time.monotonic() + limit, []
        for model in self.config.efficiency.models[:2]:
            path = self.folder / "efficiency" / self.job.dataset / f"{model}.json"
            args = ["measure", "--dataset", self.job.dataset, "--model", model, "--quiet"]
            args += ["--seed", str(self.config.efficiency.seed), "--device", self.job.device]
            args += ["--output", str(path), "--force"]
            self._elcrec(*args, limit=end - time.monotonic(), log=f"measure-{model}.log")
            records.append(read_object(path))
        return records

    def _runs(self, limit: float) -> dict[str, Any]:
        """Runs of the plan, side by side if that was found to be worth it."""
        if not self.plan:
            raise InputError("nothing to train: every run of the plan is recorded on a GPU already")
        plan, config_file = self.folder / "plan.yaml", self.folder / "config.yaml"
        write_text(plan, dump(self.plan))
        at_once, graphs = self._best()
        settings = {"output": str(self.folder.resolve()), "graphs": graphs}
        write_text(config_file, dump(settings))
        minutes = max(0.1, 0.9 * limit / 60)
        args = ["batch", str(plan), "--time-limit", f"{minutes:.2f}", "--at-once", str(at_once)]
        args += ["--device", self.job.device, "--config", *self.job.config, str(config_file)]
        output = self._python(
            *("elcrec", *args), limit=limit, log="runs.log", statuses=(0, 1, EXIT_STATUS)
        )
        finished = [line for line in output.splitlines() if re.search(r"seed \d+: ", line)]
        return {"at_once": at_once, "graphs": graphs, "ended": finished}

    def text(self) -> str:
        """The report on what was found so far."""
        done = self.machine, self.parts, self.gains()
        return checked(self.config, self.job.dataset, self.seconds, *done)

    def _best(self) -> tuple[int, bool]:
        """How many runs at once, and whether from graphs; one without, if this was not measured."""
        gains = [row for row in self.gains() if row["times"] >= WORTH]
        best = max(gains, key=lambda row: float(row["times"]), default=None)
        return (best["count"], best["graphs"]) if best else (1, False)

    def gains(self) -> list[dict[str, Any]]:
        """For each number of runs side by side: throughput, `times` that of one without graphs."""
        rows = [r for r in self.parts.get("side by side", {}).get("found", ()) if "seconds" in r]
        one = next((r["seconds"] for r in rows if (r["count"], r["graphs"]) == (1, False)), None)
        return [r | {"times": r["count"] * one / r["seconds"]} for r in rows] if one else []

    def _elcrec(self, *args: str, limit: float, log: str) -> str:
        config = ["--config", *self.job.config] if self.job.config else []
        return self._python("elcrec", *args, *config, limit=limit, log=log)

    def _python(self, *args: str, limit: float, log: str, statuses: Iterable[int] = (0,)) -> str:
        """Output of `python -m ...`, also kept in `log`; it must end with one of the statuses."""
        path = self.folder / log
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", *args]
        with path.open("w+") as file:
            try:
                process = subprocess.run(
                    command, stdout=file, stderr=subprocess.STDOUT, timeout=limit, check=False
                )
            except subprocess.TimeoutExpired:
                raise InputError(f"did not finish within {limit:.0f} s, see {path}") from None
        output = path.read_text(errors="replace")
        if process.returncode not in statuses:
            last = output.strip().splitlines()[-1:] or ["no output"]
            raise InputError(f"exited with status {process.returncode}: {last[0]}")
        return output

    def _write(self) -> str:
        """Write the record, the text and the archive."""
        record_file, text_file, archive = (self.folder / name for name in NAMES)
        text = self.text()
        content = {"seconds": self.seconds, "environment": self.machine, "parts": self.parts}
        write_json(record_file, content)
        write_text(text_file, text)
        left_out = self._pack(archive)
        if left_out:
            text += f"- Not in the archive (too large, or a checkpoint): {', '.join(left_out)}\n"
            write_text(text_file, text)
        return text

    def _pack(self, archive: Path) -> list[str]:
        """Pack what was written, small files first; returns what was left out."""
        files = (f for f in self.folder.rglob("*") if f.is_file() and f != archive)
        total, left_out = 0, []
        with replaced(archive) as temporary, tarfile.open(temporary, "w:gz") as packed:
            for file in sorted(files, key=lambda file: file.stat().st_size):
                name, size = str(file.relative_to(self.folder)), file.stat().st_size
                if total + size > MOST_BYTES or "checkpoint" in name:
                    left_out.append(name)
                    continue
                packed.add(file, name)
                total += size
        return left_out


class Worker(AbstractContextManager["Worker"]):
    """A process of `Ways` that is restarted after a failure, until the time is up."""

    def __init__(self, seconds: float, job: Job) -> None:
        self.end, self.job = time.monotonic() + seconds, job
        self.process: Process | None = None

    def __exit__(self, *error: object) -> None:
        self._stop()

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The answer of `Ways`, or `failed` with the reason."""
        try:
            if self.process is None:
                remaining = self.end - time.monotonic()
                if remaining <= 0:
                    return {"failed": "no time was left"}
                self.process = Process("process", Ways, remaining)
                self.process.ask("build", device=self.job.device, threads=self.job.threads)
            answer: dict[str, Any] = self.process.ask(method, **arguments)
            return answer
        except ProcessError as error:
            self._stop()
            return {"failed": str(error).removeprefix("process: ")}

    def _stop(self) -> None:
        if self.process is not None:
            self.process.__exit__()
        self.process = None
