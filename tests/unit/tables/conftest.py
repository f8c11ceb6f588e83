"""Synthetic output folders with known ranks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elcrec.config.config import load_config
from elcrec.evaluation.metrics import summarise
from elcrec.runs.efficiency import EfficiencyRecord
from elcrec.runs.plan import runs_of
from elcrec.runs.reading import Gap, Runs
from elcrec.runs.record import RunRecord

MEMORY = {"resident_bytes": 500_000_000, "cuda_allocated_bytes": None, "cuda_reserved_bytes": None}


class Output:
    """An output folder that runs and efficiency records are written to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(
        self,
        dataset: str,
        model: str,
        seed: int = 1,
        test: Any = (0, 3, 9, 40),
        valid: Any = None,
        **changes: Any,
    ) -> Path:
        """Write a run with these ranks; `changes` replace keys of metrics.json."""
        test = np.asarray(test, dtype=np.int32)
        ranks = {"valid": test if valid is None else np.asarray(valid, dtype=np.int32)}
        ranks["test"] = test
        record = {
            "format": 1,
            "dataset": dataset,
            "model": model,
            "seed": seed,
            "protocol": "paper",
            "ranked_by": "paper",
            "metrics": {split: summarise(array) for split, array in ranks.items()},
            "users": len(test),
            "best_epoch": 2,
            "epochs": 3,
            "seconds": {"total": 9.0, "training": 6.0, "validation": 2.0, "kmeans": 0.0},
            "peak_memory": MEMORY,
            "device": "cpu: test",
            "parameters": 10,
            "fingerprint": f"code of {model}",
            "settings": f"settings of {model}",
            "data": f"histories of {dataset}",
            "commit": "0123456789abcdef0123",
            "dirty": False,
            "kernels": "plain",
        }
        folder = self.path / "runs" / dataset / model / str(seed)
        folder.mkdir(parents=True)
        np.savez_compressed(folder / "ranks.npz", **ranks)
        (folder / "history.csv").write_text("epoch,loss_total\n1,3\n2,2\n3,1\n")
        (folder / "config.yaml").write_text("model: x\n")
        (folder / "environment.json").write_text("{}\n")
        (folder / "metrics.json").write_text(json.dumps(record | changes))
        return folder

    def efficiency(self, dataset: str, model: str, seconds: float = 2.0, **changes: Any) -> Path:
        """Write an efficiency record of this median; `changes` replace its keys."""
        parts = {"total": 1.0, "training": 0.7, "validation": 0.2, "kmeans": 0.1}
        record = {
            "format": 1,
            "dataset": dataset,
            "model": model,
            "seed": 1,
            "device": "cpu: test",
            "device_kind": "cpu",
            "epochs_measured": 5,
            "seconds_per_epoch": {
                phase: {"median": p * seconds, "min": 0.9 * p * seconds, "max": 1.5 * p * seconds}
                for phase, p in parts.items()
            },
            "peak_memory": MEMORY,
            "fingerprint": f"code of {model}",
            "settings": f"settings of {model}",
            "commit": None,
            "dirty": True,
            "kernels": "plain",
        }
        path = self.path / "efficiency" / dataset / f"{model}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record | changes))
        return path


def load_runs(
    output: Path, datasets: Iterable[str], models: Iterable[str], seeds: Iterable[int]
) -> tuple[list[RunRecord], list[Gap]]:
    """The runs below a folder, and the gaps."""
    config = load_config().replaced(output=output, seeds=list(seeds))
    return Runs(config, "take").read(runs_of(config, datasets, models))


def load_efficiency_runs(
    output: Path, datasets: Iterable[str], models: list[str]
) -> tuple[list[EfficiencyRecord], list[tuple[str, str]]]:
    """The measurements below a folder, and the gaps."""
    return Runs(load_config().replaced(output=output), "take").measurements(datasets, models)


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "output")


@pytest.fixture
def ranks() -> Callable[[int, float], np.ndarray]:
    """Random ranks of 400 users: (seed, strength) -> (400,); the stronger, the better ranked."""

    def make(seed: int, strength: float) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return (rng.pareto(strength, 400) * 20).clip(0, 10_000).astype(np.int32)

    return make
