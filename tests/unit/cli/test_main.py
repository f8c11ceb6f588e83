"""The command as a whole."""

import os
import subprocess
import sys

import pytest


@pytest.fixture(params=["--version", "recommend --help", "table headline --config {}"])
def command(request, tiny, monkeypatch):
    """A command line that prints something."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    return [sys.executable, "-m", "elcrec", *request.param.format(tiny).split()]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_that_a_terminal_cannot_show_end_no_command(tiny, tmp_path, encoding):
    tiny.write_text(tiny.read_text().replace("name: Tiny", "name: Δ日本"))
    arguments = ["train", "--dataset", "tiny", "--model", "popularity", "--config", str(tiny)]
    done = subprocess.run(
        [sys.executable, "-m", "elcrec", *arguments, "--output", str(tmp_path / "run")],
        capture_output=True,
        env={"PYTHONIOENCODING": encoding, "PATH": "/usr/bin:/bin"},
        check=True,
    )
    shown = "Δ日本" if encoding == "utf-8" else r"\u0394\u65e5\u672c"
    assert f"Popularity {shown} seed 1: HR@5" in done.stdout.decode(encoding)


def test_who_reads_the_output_may_stop(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr.read() == b""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_one_line(command, unbuffered):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment)
    assert done.returncode == 2
    assert done.stderr == b"elcrec: standard output: No space left on device\n"


def test_a_closed_output_is_no_fault(command):
    closed = ["bash", "-c", 'exec "$@" >&-', "-", *command]
    assert subprocess.run(closed, stderr=subprocess.PIPE, check=True).stderr == b""
