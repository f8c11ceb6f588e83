"""Times the authors' released code: run as a program, in a process of its own, by `elcrec bench`.

It imports the modules of a user's checkout (`models`, `trainers`, `datasets`, `utils`), builds what
their `main.py` builds, with the defaults of its options, and runs their training iterations and
their validation. Nothing of theirs is changed or copied. It imports nothing of this project, so
that no setting of ours (denormals, allocator) reaches their code.

The lines it reads and writes are described in `elcrec.bench.process`; the first one is
`{"do": "build", "source": folder, "data": file, "options": {...}, "seed": …, "device": …,
"threads": …}`, the others name methods of `Released`.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

METHODS = ("start", "steps", "evaluate", "epoch", "memory")
STEPS = 10  # of a group on a processor; on a GPU those of a whole epoch


class RefusedError(Exception):
    """Something that the user can put right; the message is one line."""


class Released:
    """The released trainer on one data set; all times are wall-clock seconds, sizes bytes."""

    def __init__(
        self,
        source: str,
        data: str,
        options: dict[str, Any],
        seed: int,
        device: str,
        threads: int,
    ) -> None:
        """Build model, loaders and trainer as their `main.py` does.

        Args:
            source: The checkout's folder `src`.
            data: Prepared data set, a line per user.
            options: Values that go before the defaults of their options.
            seed: Of everything random.
            device: `cpu` or `cuda`.
            threads: CPU threads.

        Raises:
            RefusedError: A module that their code needs, or a name in it, is missing.
        """
        sys.path.insert(0, source)
        names = ("models", "trainers", "datasets", "utils")
        self.modules = {name: _import(name) for name in names}
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        self.modules["utils"].set_seed(seed)
        self.folder = tempfile.TemporaryDirectory(prefix="elcrec-bench-")  # their log goes there
        self.random = random.Random(seed)
        self.args = argparse.Namespace(**(_defaults(Path(source) / "main.py") | options))
        self.args.seed = seed
        self.args.no_cuda = device == "cpu"
        self.args.cuda_condition = device != "cpu"
        self.args.log_file = os.path.join(self.folder.name, "log.txt")
        self._read(data)
        self.trainer = self._make_trainer()

    def about(self) -> dict[str, Any]:
        """What is measured."""
        return {
            "users": len(self.histories),
            "items": self.args.item_size - 2,
            "steps_per_epoch": len(self.loaders["train_dataloader"]),
            "parameters": sum(p.numel() for p in self.trainer.model.parameters()),
            "options": {k: v for k, v in sorted(vars(self.args).items()) if _is_plain(v)},
        }

    def start(self) -> dict[str, Any]:
        """Do what their first epoch does before its first step; then one step, not counted."""
        loader = self._loader(self._some(self.args.batch_size), "train", shuffle=True)
        clock = FirstUse(loader)
        begin = self._now()
        self.trainer.iteration(0, clock, self.loaders["cluster_dataloader"])
        seconds = clock.used - begin
        return {"start_training": seconds, "start_epoch": 0.0, "uncounted_epochs": 0}

    def steps(self, count: int | None = None) -> dict[str, Any]:
        """Take a group of steps on users drawn at random."""
        if count is None and self.args.no_cuda:
            count = STEPS
        users = len(self.histories) if count is None else count * self.args.batch_size
        loader = self._loader(self._some(users), "train", shuffle=True)
        seconds = self._timed(lambda: self.trainer.iteration(1, loader))
        return {"count": len(loader), "seconds_per_step": seconds / len(loader)}

    def evaluate(self) -> dict[str, Any]:
        """Their validation of all users against all items."""
        return {"seconds": self._timed(lambda: self.trainer.valid(1, full_sort=True))}

    def epoch(self) -> dict[str, Any]:
        """A whole epoch: all steps, then validation."""
        loader = self.loaders["train_dataloader"]
        training = self._timed(lambda: self.trainer.iteration(1, loader))
        evaluation = self.evaluate()["seconds"]
        parts = {"start_epoch": 0.0, "training": training, "evaluation": evaluation}
        return {**parts, "total": training + evaluation}

    def memory(self) -> dict[str, Any]:
        """Peak bytes: resident, and on a GPU allocated and reserved."""
        gpu = None if self.args.no_cuda else self.torch.cuda
        return {
            "resident_bytes": _resident_peak(),
            "cuda_allocated_bytes": gpu and gpu.max_memory_allocated(),
            "cuda_reserved_bytes": gpu and gpu.max_memory_reserved(),
        }

    def _read(self, data: str) -> None:
        read = self.modules["utils"].get_user_seqs(data)
        self.histories, highest, self.args.train_matrix = read[0], read[1], read[2]
        self.args.item_size, self.args.mask_id = highest + 2, highest + 1
        self.args.data_file = data
        histories = self.histories
        self.loaders = {
            "train_dataloader": self._loader(histories, "train", shuffle=True),
            "cluster_dataloader": self._loader(histories, "train"),
            "eval_dataloader": self._loader(histories, "valid"),
            "test_dataloader": self._loader(histories, "test"),
        }

    def _make_trainer(self) -> Any:
        """Their trainer, of either released commit.

        The later one takes all loaders; the earlier one takes one and reads the others as global
        names that nothing in its module sets.
        """
        model = self.modules["models"].SASRecModel(args=self.args)
        given = {"model": model, "args": self.args, **self.loaders}
        trainer = self.modules["trainers"].ELCRecTrainer
        wanted = list(inspect.signature(trainer).parameters)
        if len(wanted) < len(given):
            vars(self.modules["trainers"]).update(self.loaders)
        return trainer(**{name: given[name] for name in wanted})

    def _loader(self, histories: list[Any], split: str, shuffle: bool = False) -> Any:
        loader = importlib.import_module("torch.utils.data").DataLoader
        dataset = self.modules["datasets"].RecWithContrastiveLearningDataset
        data = dataset(self.args, histories, data_type=split)
        return loader(data, batch_size=self.args.batch_size, shuffle=shuffle)

    def _some(self, count: int) -> list[Any]:
        """Histories of users drawn at random: the first of a file are longer than the others."""
        return self.random.sample(self.histories, min(count, len(self.histories)))

    def _timed(self, action: Any) -> float:
        begin = self._now()
        action()
        return self._now() - begin

    def _now(self) -> float:
        if not self.args.no_cuda:
            self.torch.cuda.synchronize()
        return time.perf_counter()


class FirstUse:
    """A loader that notes when it is first asked for a batch."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.used = 0.0

    def __iter__(self) -> Any:
        self.used = time.perf_counter()
        return iter(self.loader)

    def __len__(self) -> int:
        return len(self.loader)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise RefusedError(
            f"the released code needs the module '{error.name}', which is not installed here"
        ) from None


def _defaults(main: Path) -> dict[str, Any]:
    """Defaults of the options in their main.py, which cannot be imported: it would train.

    Only literal values count; a switch is off.
    """
    found = {}
    for node in ast.walk(ast.parse(main.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"):
            continue
        flag = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
        values = {k.arg: k.value for k in node.keywords}
        if isinstance(flag, str) and flag.startswith("--"):
            default = values.get("default", ast.Constant("action" not in values and None))
            found[flag[2:]] = ast.literal_eval(default)
    if not found:
        raise RefusedError(f"{main}: declares no options")
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | None)


def _resident_peak() -> int | None:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(x.split()[1]) * 1024 for x in lines if x.startswith("VmHWM:")), None)


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what their code prints
    released: Released | None = None
    for line in sys.stdin:
        request = json.loads(line)
        what = request.pop("do")
        answer: dict[str, Any]
        try:
            if what == "build":
                released = Released(**request)
                answer = {"answer": released.about()}
            elif released is None or what not in METHODS:
                raise RefusedError(f"cannot do '{what}'")
            else:
                answer = {"answer": getattr(released, what)(**request)}
        except RefusedError as refused:
            answer = {"error": str(refused)}
        except Exception as error:
            text = " ".join(str(error).split())
            answer = {"error": f"the released code failed: {type(error).__name__}: {text}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
