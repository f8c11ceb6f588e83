"""The line of progress of `make demo`: share, jobs, time left, and what failed."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from elcrec import ROOT

PLUGIN = ROOT / "workflow" / "logger"
SNAKEFILE = """
rule all:
    input: "a.txt", "b.txt", "c.txt"
rule train:
    output: "{x}.txt"
    log: "{x}.log"
    shell: "(echo by {wildcards.x}; test {wildcards.x} != BAD && touch {output}) 2>&1 | tee {log}"
"""


def snakemake(folder: Path, bad: str = "-") -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(SNAKEFILE.replace("BAD", bad))
    command = [sys.executable, "-m", "snakemake", "all", "--cores", "1", "--keep-going"]
    environment = os.environ | {"PYTHONPATH": str(PLUGIN)}
    return subprocess.run(
        [*command, "--logger", "progress"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_whole_run_and_one_with_nothing_to_do(tmp_path):
    done = snakemake(tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "  0 %, 0 of 4 jobs"
    assert lines[-1] == "100 %, 4 of 4 jobs"
    assert all(" of 4 jobs" in line for line in lines)
    assert "by a" in done.stdout  # what jobs print is no message of Snakemake
    again = snakemake(tmp_path)
    assert again.returncode == 0
    assert again.stderr.startswith("Nothing to be done")


def test_what_failed_is_said_with_its_log_and_the_others_go_on(tmp_path):
    done = snakemake(tmp_path, bad="b")
    assert done.returncode == 1
    assert "failed: train for b.txt\n  its log: b.log\n    by b\n" in done.stderr
    assert "CalledProcessError" not in done.stderr
    assert " %, 2 of 4 jobs" in done.stderr
    assert "100 %" not in done.stderr
    assert (tmp_path / "c.txt").exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def handler(monkeypatch):
    monkeypatch.syspath_prepend(PLUGIN)
    from snakemake_logger_plugin_progress import WEIGHTS, LogHandler

    monkeypatch.setitem(WEIGHTS, "train", 30)
    handler = LogHandler(None, None)
    handler.stream = Terminal()
    return handler


def tell(handler, event=None, level=logging.INFO, message="", **values):
    record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    vars(record).update(event=event, **values)
    handler.emit(record)


def test_on_a_terminal_one_line_is_written_again_and_again(handler, monkeypatch):
    clock = iter([100.0, 400.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    tell(handler, "run_info", stats={"train": 4, "figure": 10, "total": 14})
    tell(handler, "job_info", jobid=1, rule_name="train", wildcards={"model": "elcrec"})
    tell(handler, message="Select jobs to execute...")
    tell(handler, "job_finished", job_id=1)
    text = handler.stream.getvalue()
    assert text.count("\n") == 0
    first, last = text.split("\r\033[K")[1:]
    assert first == "  0 %, 0 of 14 jobs  train elcrec"
    # 30 of 130 parts took 5 minutes, so the others take 16.7
    assert last.rstrip() == " 23 %, 1 of 14 jobs, about 17 min left"
    handler.close()
    handler.close()
    assert handler.stream.getvalue().endswith("left  \n")


def test_a_warning_takes_the_place_of_the_line(handler):
    tell(handler, "run_info", stats={"train": 1, "total": 1})
    tell(handler, "job_info", jobid=1, rule_name="train", wildcards={})
    tell(handler, level=logging.WARNING, message="the disk is nearly full")
    assert handler.stream.getvalue().endswith("\r\033[Kthe disk is nearly full\n")
