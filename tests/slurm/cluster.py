"""Snakemake through the SLURM profile, and what SLURM's controller remembers of its jobs."""

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from elcrec import ROOT

PROFILE = ROOT / "workflow/profiles/slurm"


@dataclass(frozen=True)
class Job:
    """A job as `scontrol show jobs` tells it."""

    number: str
    rule: str
    state: str
    start: datetime
    end: datetime
    requested: tuple[str, str, str]
    """Time, memory, generic resources."""
    log: Path


def command(*arguments: str, profile: str | Path = PROFILE) -> list[str]:
    """Snakemake with the profile; this SLURM has no accounting, and the jobs are short."""
    program = [sys.executable, "-m", "snakemake", "--workflow-profile", str(profile)]
    quick = ["--latency-wait", "5", "--slurm-init-seconds-before-status-checks", "5"]
    return [*program, *arguments, "--slurm-status-command", "squeue", *quick]


def snakemake(*arguments: str, profile: str | Path = PROFILE) -> subprocess.CompletedProcess[str]:
    """Run it at the root of the project."""
    call = command(*arguments, profile=profile)
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=1500)


def jobs_of(output: str) -> list[Job]:
    """The jobs of a call of Snakemake, by what it printed."""
    name = re.search(r"SLURM run ID: (\S+)", output)
    assert name, output
    return jobs_named(name[1])


def jobs_named(name: str) -> list[Job]:
    """Jobs of that name that have been started, in the order of their start."""
    shown = subprocess.check_output(["scontrol", "show", "jobs", "--oneliner"], text=True)
    records = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in shown.splitlines()]
    started = [r for r in records if r["JobName"] == name and r["JobState"] != "PENDING"]
    return sorted((_job(record) for record in started), key=lambda job: (job.start, job.number))


def _job(record: dict[str, str]) -> Job:
    end = record["EndTime"]
    gpus = record.get("TresPerJob") or record.get("TresPerNode", "")  # --gpus or --gres
    return Job(
        number=record["JobId"],
        rule=record["Comment"].removeprefix("rule_").split("_wildcards_")[0],
        state=record["JobState"],
        start=datetime.fromisoformat(record["StartTime"]),
        end=datetime.max if end == "Unknown" else datetime.fromisoformat(end),
        requested=(record["TimeLimit"], record["MinMemoryNode"], gpus),
        log=Path(record["StdOut"]),
    )
