"""The command as a whole."""

import subprocess
import sys

import pytest


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
