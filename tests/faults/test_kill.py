"""kill -9 at any moment: nothing is taken for whole that is not, and the numbers are the same.

`ELCREC_FUZZ=20` kills twenty times as often.
"""

import itertools
import json
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import yaml

from tests.faults.processes import (
    assert_clean,
    assert_nothing_half_written,
    command,
    contents,
    finish,
    start,
)
from tests.fuzzing import examples

SMALL = ("--set", "patience=0", "max_length=10", "dimension=8")
EPOCHS = 25


def last_epoch(folder: Path) -> int:
    """Number of the newest checkpoint; 0 before the first."""
    names = [path.stem for path in folder.glob("checkpoints/epoch-*.ckpt")]
    return int(max(names, default="-0").rpartition("-")[2])


def kill_once_past(process: BaseProcess, folder: Path, epoch: int, moment: float) -> bool:
    """Kill it so many seconds after the checkpoint of an epoch; False if it ended before."""
    begin = time.monotonic()
    while process.is_alive() and last_epoch(folder) < epoch:
        assert time.monotonic() - begin < 120
        time.sleep(0.002)
    process.join(moment)
    process.kill()
    return finish(process) == -signal.SIGKILL


@pytest.mark.parametrize("model", ["elcrec", "iclrec", "bert4rec", "gru4rec"])
def test_a_training_killed_again_and_again_ends_with_the_same_numbers(tiny, tmp_path, model):
    train = command(tiny, model, tmp_path / "whole", *SMALL, f"max_epochs={EPOCHS}")
    assert finish(start(train)) == 0
    folder = tmp_path / "killed"
    train = command(tiny, model, folder, *SMALL, f"max_epochs={EPOCHS}")
    chance = random.Random(model)
    epochs = sorted(chance.choices(range(EPOCHS), k=examples(6)))
    kills = 0
    for epoch in epochs:
        kills += kill_once_past(start(train), folder, epoch, chance.uniform(0, 0.1))
        assert_nothing_half_written(folder)
        assert last_epoch(folder) >= epoch or (folder / "metrics.json").exists()
    assert finish(start(train)) == 0
    assert contents(folder) == contents(tmp_path / "whole")
    assert_clean(folder)
    assert kills > len(epochs) / 2
    print(f"{model}: survived {kills} kills")


def test_a_training_that_dies_at_any_call_that_writes_goes_on(tiny, tmp_path):
    few = (*SMALL, "max_epochs=3")
    assert finish(start(command(tiny, "elcrec", tmp_path / "whole", *few))) == 0
    expected = contents(tmp_path / "whole")
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        if finish(start(command(tiny, "elcrec", folder, *few), number)) == 0:
            break  # it has no so many calls
        assert_nothing_half_written(folder)
        assert finish(start(command(tiny, "elcrec", folder, *few))) == 0
        assert contents(folder) == expected, f"died at call {number}"
        assert_clean(folder)
    assert number > 15
    print(f"survived its death at each of {number - 1} calls")


def test_at_most_the_current_epoch_is_lost(tiny, tmp_path):
    folder = tmp_path / "run"
    train = command(tiny, "sasrec", folder, *SMALL, f"max_epochs={10 * EPOCHS}")
    assert kill_once_past(start(train), folder, 3, 0)
    killed_at = last_epoch(folder)
    assert killed_at >= 3
    assert finish(start(train)) == 0
    assert json.loads((folder / "metrics.json").read_text())["resumed_after"] == [killed_at]


def test_a_killed_batch_goes_on_where_each_run_was(tiny, tmp_path):
    content = yaml.safe_load(tiny.read_text()) | {"training": {"max_epochs": 15, "batch_size": 64}}
    content["parameters"] = {m: {"max_length": 10, "dimension": 8} for m in ("elcrec", "sasrec")}
    content["parameters"]["elcrec"]["intents"] = 8
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump([{"models": ["elcrec", "sasrec"], "seeds": [1, 2]}]))
    folders = {}
    for name in ("whole", "killed"):
        config = tmp_path / f"{name}.yaml"
        config.write_text(yaml.safe_dump(content | {"output": str(tmp_path / name)}))
        folders[name] = ["batch", str(plan), "--config", str(config), "--at-once", "3"]
        folders[name] += ["--threads", "1", "--device", "cpu"]
    assert finish(start(folders["whole"])) == 0
    chance = random.Random(1)
    watched = tmp_path / "killed" / "runs" / "tiny" / "elcrec" / "2"
    kills = 0
    for epoch in sorted(chance.choices(range(15), k=examples(4))):
        moment = chance.uniform(0, 0.1)
        kills += kill_once_past(start(folders["killed"]), watched, epoch, moment)
    assert kills > 0
    print(f"batch: survived {kills} kills")
    assert finish(start(folders["killed"])) == 0
    runs = sorted(
        p.parent.relative_to(tmp_path / "whole") for p in tmp_path.glob("whole/**/metrics.json")
    )
    assert len(runs) == 4
    for run in runs:
        assert contents(tmp_path / "killed" / run) == contents(tmp_path / "whole" / run)
        assert_clean(tmp_path / "killed" / run)


def test_two_processes_do_not_train_the_same_run(tiny, tmp_path):
    """A killed Snakemake leaves its trainings running; the next one starts them again."""
    folder = tmp_path / "run"
    train = command(tiny, "sasrec", folder, *SMALL, f"max_epochs={EPOCHS}")
    first = start(train)
    while first.is_alive() and not last_epoch(folder):
        time.sleep(0.002)
    second = start(train)
    assert finish(first) == 0
    made = (folder / "metrics.json").stat().st_mtime_ns
    assert finish(second) == 0
    assert (folder / "metrics.json").stat().st_mtime_ns == made
    assert json.loads((folder / "metrics.json").read_text())["resumed_after"] == []
