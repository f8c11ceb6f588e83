"""Synthetic runs for the figures: made-up numbers, in tests only."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from elcrec.config.config import Config, load_config
from elcrec.config.figures import KINDS
from elcrec.figures.drawn import Drawn
from elcrec.runs.reading import Runs
from tests.unit.tables.conftest import Output
from tests.workflow.make_tiny import write

USERS, CENTERS, DIMENSION = 120, 8, 4


class Made:
    """A configuration of the tiny data set, and runs that are written as if they had been made."""

    def __init__(self, folder: Path, name: str = "Tiny") -> None:
        self.folder = folder
        datasets = {"tiny": {"name": name, "path": str(folder / "tiny.txt")}}
        self.path = write(folder, datasets=datasets)
        content = yaml.safe_load(self.path.read_text())
        content["figures"]["study"] = ["sasrec", "iclrec", "elcrec"]
        self.path.write_text(yaml.safe_dump(content))
        self.config: Config = load_config([self.path])
        self.runs = Runs(self.config, "take")
        prepared = self.config.sequences_file("tiny")
        prepared.parent.mkdir(parents=True)
        prepared.write_text((folder / "tiny.txt").read_text())

    def run(
        self, model: str, seed: int = 1, rank: int = 0, epochs: int = 6, base: Path | None = None
    ) -> Path:
        """A run in which everybody's target has this rank; below `base` if it is given."""
        output = Output(base or self.config.output)
        folder = output.run("tiny", model, seed, test=[rank] * USERS, epochs=epochs)
        self.history(epochs, seed).to_csv(folder / "history.csv", index=False)
        return folder

    def everything(self) -> None:
        """Two seeds of every model that a figure shows."""
        for model in ("iclrec", "iclrec_icl", "elcrec_elcm", "elcrec", "sasrec"):
            for seed in (1, 2):
                folder = self.run(model, seed, rank=seed)
                if model == "elcrec":
                    self.intents(folder)

    def draw(self, kind: str) -> Drawn:
        """The figure, of the data set if there is one for each."""
        function = importlib.import_module(f"elcrec.figures.{kind}").draw
        drawn = function(self.runs, "tiny") if KINDS[kind].each else function(self.runs)
        assert isinstance(drawn, Drawn)
        return drawn

    @staticmethod
    def history(epochs: int, seed: int = 1) -> pd.DataFrame:
        epoch = np.arange(1, epochs + 1)
        return pd.DataFrame(
            {
                "epoch": epoch.astype(float),
                "loss_total": 4.0 / epoch + 0.1 * seed,
                "HR@5": 0.1 * epoch / epochs + 0.01 * seed,
                "intents_in_use": CENTERS - epoch // 3,
                "center_cosine": 1 - 1 / epoch,
                "user_cosine": 1 - 0.5 / epoch,
                "cluster_direct": -1.0 / epoch,
                "cluster_identity": -1.0 / epoch + 1e-7 * (epoch == 2),
            }
        )

    @staticmethod
    def intents(folder: Path, epochs: tuple[int, ...] = (0, 2, 4)) -> dict[str, np.ndarray]:
        """Two thirds of the users in intent 0; the last third in 1 to 7."""
        random = np.random.default_rng(0)
        centers = random.normal(size=(CENTERS, DIMENSION))
        assigned = np.where(np.arange(USERS) < 80, 0, 1 + np.arange(USERS) % 7).astype(np.int16)
        users = np.arange(0, USERS, 2, dtype=np.int32)
        vectors = centers[assigned[users]] + 0.1 * random.normal(size=(len(users), DIMENSION))
        shape = (len(epochs), 1, 1)
        arrays = {
            "epochs": np.array(epochs, dtype=np.int32),
            "users": users,
            "embeddings": np.tile(vectors, shape).astype(np.float16),
            "assigned": np.tile(assigned[users], shape[:2]),
            "centers": np.tile(centers, shape).astype(np.float16),
            "all_assigned": assigned,
        }
        np.savez_compressed(folder / "intents.npz", **arrays)
        return arrays


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture
def printed(tmp_path: Path) -> Made:
    """The same with the name of a data set of the paper."""
    return Made(tmp_path, "Beauty")
