"""The programs in examples/ run as a user would run them."""

import os
import re
import subprocess
import sys

from elcrec import ROOT


def test_the_cluster_module_trains_in_a_gru_of_somebody_else(tmp_path):
    program = [sys.executable, ROOT / "examples" / "elcm_in_a_gru.py"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    epochs = re.findall(r"task ([\d.]+)  cluster ([+-][\d.]+)", done.stdout)
    tasks = [float(task) for task, _ in epochs]
    assert len(tasks) == 10
    assert tasks[-1] < 0.5 * tasks[0]
    shares = re.findall(r"(\d) centers in use, (\d+)% of users", done.stdout)
    assert [int(centers) for centers, _ in shares] == [8, 8]
    assert all(int(share) > 50 for _, share in shares)  # by chance 12 and a half
