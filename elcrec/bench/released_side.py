"""The authors' released code as a side of a measurement.

It imports the modules of a user's checkout (`models`, `trainers`, `datasets`, `utils`), builds what
their `main.py` builds, with the defaults of its options, and runs their training iterations and
their validation. None of their code is changed or copied, and none of our settings
(denormals, allocator) affect it.
"""

import argparse
import ast
import importlib
import inspect
import os
import random
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from elcrec.bench.side import SEED, Side
from elcrec.usage import Stopwatch


class Released(Side):
    """The released trainer on one data set."""

    def __init__(
        self, source: str, data: str, options: dict[str, Any], device: str, threads: int
    ) -> None:
        """Build model, loaders and trainer as their `main.py` does.

        Args:
            source: The checkout's folder `src`.
            data: Prepared data set, a line per user.
            options: Values that override the defaults of their options.
            device: `cpu` or `cuda:N`.
            threads: CPU threads.
        """
        self.device, self.random = first_gpu(device), random.Random(SEED)
        sys.path.insert(0, source)
        names = ("models", "trainers", "datasets", "utils")
        self.modules = {name: importlib.import_module(name) for name in names}
        torch.set_num_threads(threads)
        self.modules["utils"].set_seed(SEED)
        self.histories, highest, matrix, *_ = self.modules["utils"].get_user_seqs(data)
        self.args = argparse.Namespace(**(_defaults(Path(source) / "main.py") | options))
        self.args.seed, self.args.data_file, self.args.log_file = SEED, data, os.devnull
        self.args.no_cuda, self.args.cuda_condition = device == "cpu", device != "cpu"
        self.args.item_size, self.args.mask_id = highest + 2, highest + 1
        self.args.train_matrix = matrix
        self.samples, self.batch_size = len(self.histories), self.args.batch_size
        self.loaders = {
            "train_dataloader": self._loader(self.histories, "train", shuffle=True),
            "cluster_dataloader": self._loader(self.histories, "train"),
            "eval_dataloader": self._loader(self.histories, "valid"),
            "test_dataloader": self._loader(self.histories, "test"),
        }
        model = self.modules["models"].SASRecModel(args=self.args)
        arguments = {"model": model, "args": self.args, **self.loaders}
        trainer = self.modules["trainers"].ELCRecTrainer
        # The later of the released commits takes all loaders; the earlier one takes one and reads
        # the others as global names that nothing in its module sets.
        parameters = list(inspect.signature(trainer).parameters)
        if len(parameters) < len(arguments):
            vars(self.modules["trainers"]).update(self.loaders)
        self.trainer = trainer(**{name: arguments[name] for name in parameters})

    def about(self) -> dict[str, Any]:
        """What is measured, with all of their options."""
        scalar = str | int | float | bool | None
        return {
            "users": self.samples,
            "items": self.args.item_size - 2,
            "steps_per_epoch": self.batches(self.samples),
            "parameters": sum(p.numel() for p in self.trainer.model.parameters()),
            "options": {k: v for k, v in sorted(vars(self.args).items()) if isinstance(v, scalar)},
        }

    def start(self, steps: int | None = None) -> float:
        """Run their first epoch without batches; its mean loss then raises a division by zero."""
        with (watch := Stopwatch(self.device))("start"), suppress(ZeroDivisionError):
            self.trainer.iteration(0, [], self.loaders["cluster_dataloader"])
        self.round(steps)
        return watch.seconds["start"]

    def pass_over(self, samples: int) -> tuple[float, float, float]:
        """Train on users drawn at random, as the first of a file have longer histories; validate.

        Their work before an epoch is part of the epoch.
        """
        loader = self._loader(self.random.sample(self.histories, samples), "train", shuffle=True)
        watch = Stopwatch(self.device)
        with watch("training"):
            self.trainer.iteration(1, loader)
        with watch("validation"):
            self.trainer.valid(1, full_sort=True)
        return 0.0, watch.seconds["training"], watch.seconds["validation"]

    def _loader(self, histories: list[Any], split: str, shuffle: bool = False) -> DataLoader[Any]:
        dataset = self.modules["datasets"].RecWithContrastiveLearningDataset
        data = dataset(self.args, histories, data_type=split)
        return DataLoader(data, batch_size=self.batch_size, shuffle=shuffle)


def _defaults(main: Path) -> dict[str, Any]:
    """Defaults of the options in their main.py, which cannot be imported: it would train.

    Only literal values are read; switches are off.
    """
    defaults = {}
    for node in ast.walk(ast.parse(main.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            flag = ast.literal_eval(node.args[0])
            values = {k.arg: k.value for k in node.keywords}
            default = values.get("default", ast.Constant("action" not in values and None))
            defaults[flag.removeprefix("--")] = ast.literal_eval(default)
    return defaults


def first_gpu(device: str) -> torch.device:
    """Make only the given GPU visible to code that always uses the first one.

    Args:
        device: `cpu` or `cuda:N`; it must not have been used yet.
    """
    kind, _, number = device.partition(":")
    if number:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", number).split(",")
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[min(int(number), len(visible) - 1)]
    return torch.device(kind)
