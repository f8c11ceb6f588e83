"""`elcrec bench --peer recbole`: RecBole's version of a model, training and ranking, beside ours.

Both run in the environment of `make test-parity`. RecBole trains on every prefix of a history, this
project on whole histories: steps are not the same work, epochs are.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from elcrec.bench.measure import Plan, Report, in_turn
from elcrec.bench.released_side import first_gpu
from elcrec.bench.side import SEED, Side
from elcrec.bench.subject import Job
from elcrec.data.sequences import read_sequences
from elcrec.errors import InputError
from elcrec.external.split import export
from elcrec.usage import Stopwatch

FORMS = {
    ("baselines.sasrec", "bce"): ("SASRec", "BPR"),
    ("baselines.sasrec", "ce"): ("SASRec", "CE"),
    ("baselines.gru4rec", "bce"): ("GRU4Rec", "BPR"),
    ("baselines.gru4rec", "sampled_ce"): ("GRU4Rec", "CE"),
    ("baselines.bert4rec", None): ("BERT4Rec", "CE"),
}
"""Our module and loss to RecBole's model and loss (BPR: one sampled negative; CE: all items)."""
OPTIONS = {
    "blocks": "n_layers",
    "heads": "n_heads",
    "max_length": "MAX_ITEM_LIST_LENGTH",
    "hidden_dropout": "hidden_dropout_prob",
    "attention_dropout": "attn_dropout_prob",
    "dropout": "dropout_prob",
    "mask_ratio": "mask_ratio",
    "learning_rate": "learning_rate",
}
"""Our settings to RecBole's names; `peer` adds further ones."""


def peer(job: Job, plan: Plan, report: Report) -> dict[str, Any]:
    """Measure RecBole and this project's code in turn; see `elcrec.bench.measure.in_turn`.

    Raises:
        InputError: RecBole is not installed, has no such model, or either side failed.
    """
    config, settings = job.resolve()
    settings_dict = settings.as_dict()
    values = {**settings_dict["parameters"], **settings_dict["training"]}
    if (form := FORMS.get((settings_dict["module"], values.get("loss")))) is None:
        names = "sasrec, sasrec_ce, gru4rec, gru4rec_ce, bert4rec"
        raise InputError(f"--peer recbole: has no version of {job.model}; allowed: {names}")
    if find_spec("recbole") is None:
        raise InputError(
            "--peer recbole: RecBole is not installed here; `make test-parity` makes an "
            "environment with it, .venv-parity; use its `elcrec`"
        )
    width, options = values["dimension"], {OPTIONS[k]: values[k] for k in OPTIONS if k in values}
    options |= {"embedding_size": width, "hidden_size": values.get("hidden", width)}
    options |= {"inner_size": 4 * width, "loss_type": form[1]}
    if form[1] == "CE":
        options["train_neg_sample_args"] = None
    with TemporaryDirectory() as folder:
        export("data", read_sequences(config.prepared_file(job.dataset)), Path(folder), ["recbole"])
        report(f"{job.model} and RecBole's {form[0]} on {job.dataset}, in turn ...")
        arguments = {"folder": folder, "model": form[0], "options": options}
        return in_turn(job, f"RecBole's {form[0]}", RecBole, arguments, plan)


class RecBole(Side):
    """RecBole's trainer of a sequential model, with its defaults for whatever `options` lacks."""

    def __init__(
        self, folder: str, model: str, options: dict[str, Any], device: str, threads: int
    ) -> None:
        """Build data, model and trainer as its `quick_start` does, in a folder of its own."""
        import numpy as np

        self.device = first_gpu(device)
        os.chdir(folder)
        sys.argv = [""]  # RecBole reads them, too
        vars(np).update(float_=np.float64, complex_=np.complex128, unicode_=np.str_)  # NumPy 1's
        data, utils = import_module("recbole.data"), import_module("recbole.utils")
        base = {
            **{"data_path": folder, "use_gpu": device != "cpu", "show_progress": False},
            "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
            "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
            "seed": SEED,
        }
        config = import_module("recbole.config").Config(model, "data", config_dict=base | options)
        utils.init_seed(SEED, True)
        torch.set_num_threads(threads)
        self.train, self.valid, _ = data.data_preparation(config, data.create_dataset(config))
        self.model = utils.get_model(model)(config, self.train.dataset).to(config["device"])
        self.trainer = utils.get_trainer(config["MODEL_TYPE"], model)(config, self.model)
        self.samples, self.batch_size = len(self.train.dataset), config["train_batch_size"]
        self.options = {name: config[name] for name in (*options, "train_batch_size")}

    def about(self) -> dict[str, Any]:
        """What is measured."""
        return {
            "version": import_module("recbole").__version__,
            "users": self.train.dataset.user_num - 1,
            "items": self.train.dataset.item_num - 1,
            "steps_per_epoch": self.batches(self.samples),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "options": self.options,
        }

    def start(self, steps: int | None = None) -> float:
        """Nothing comes before an epoch; a round warms up."""
        self.round(steps)
        return 0.0

    def pass_over(self, samples: int) -> tuple[float, float, float]:
        """Train on the first batches of a new random order; rank with all its metrics."""
        watch = Stopwatch(self.device)
        with watch("training"):
            self.trainer._train_epoch(islice(self.train, self.batches(samples)), 0)
        with watch("validation"):
            self.trainer.evaluate(self.valid, load_best_model=False)
        return 0.0, watch.seconds["training"], watch.seconds["validation"]
