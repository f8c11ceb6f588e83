"""A whole output folder of made-up numbers, every file of which can be damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from elcrec.config.config import load_config
from elcrec.data.sequences import read_sequences
from elcrec.evaluation.metrics import summarise
from elcrec.runs.settings import resolve
from tests.fuzz.mutations import damaged_file
from tests.unit.figures.conftest import Made

MODELS = ("sasrec", "iclrec", "elcrec")
SEEDS = (1, 2)
VERSIONS = {"torch": "2.13.0", "numpy": "2.4.6"}


def fill(folder: Path) -> Made:
    """Runs of three models and two seeds, efficiency, grid, released and figures' records."""
    made = Made(folder, "Beauty")  # of the paper, so that values are compared with printed ones
    content = yaml.safe_load(made.path.read_text())
    check = {"use": ["tiny"], "models": ["sasrec"], "seeds": list(SEEDS)}
    content |= {"models": list(MODELS), "seeds": list(SEEDS)}
    content |= {"nightly": check, "recorded": str(folder / "record")}
    made.path.write_text(yaml.safe_dump(content))
    made.config = load_config([made.path])
    for model in MODELS:
        for seed in SEEDS:
            _finish(made, made.run(model, seed, rank=seed + len(model)), model)
    output = folder / "results"
    _write(folder / "data" / "ml-1m" / "statistics.json", statistics("ml-1m"))
    for model in ("iclrec", "elcrec"):
        _write(output / "efficiency" / "tiny" / f"{model}.json", efficiency(model))
    _write(output / "grid" / "tiny" / "sasrec-1.json", grid())
    _write(output / "released" / "beauty" / "elcrec.json", released())
    place = Path("runs", "tiny", "sasrec")
    shutil.copytree(output / place, folder / "record" / "cpu-test" / place)
    (folder / "plan.yaml").write_text("- {datasets: [tiny], models: [sasrec], seeds: [1, 2]}\n")
    return made


def _finish(made: Made, folder: Path, model: str) -> None:
    path = folder / "metrics.json"
    histories = read_sequences(made.config.prepared_file("tiny"))
    record = json.loads(path.read_bytes()) | {"data": histories.digest(), "commit": "a" * 40}
    _write(path, record | {"at_once": 1, "graphs": False, "precision": "float32"})
    settings = {"dataset": "tiny", "seed": record["seed"], "protocol": "paper"}
    settings |= resolve(made.config, model, "tiny").as_dict()
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    words = ["elcrec", "train", "--dataset", "tiny", "--model", model]
    machine = {"command": words, "python": "3.11.7", "versions": VERSIONS, "system": "Linux"}
    machine |= {"device": "cpu: test", "cores": 2, "threads": 1, "memory_bytes": 8 * 2**30}
    _write(folder / "environment.json", machine | {"driver": None, "cuda": None})
    if model in ("iclrec", "elcrec"):
        made.intents(folder)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))


def efficiency(model: str) -> dict[str, Any]:
    """What `elcrec measure` writes."""
    spread = {"median": 2.0, "min": 1.5, "max": 3.0}
    memory = {"resident_bytes": 5, "cuda_allocated_bytes": None, "cuda_reserved_bytes": None}
    record = {"format": 1, "dataset": "tiny", "model": model, "seed": 1, "device": "cpu: test"}
    record |= {"device_kind": "cpu", "epochs_measured": 5, "seconds_before_training": 0.5}
    phases = ("total", "training", "validation", "kmeans")
    record |= {"seconds_per_epoch": dict.fromkeys(phases, spread), "peak_memory": memory}
    record |= {"fingerprint": "code", "settings": "settings", "commit": "a" * 40, "dirty": False}
    return record | {"kernels": "plain", "command": ["elcrec", "measure"]}


def grid() -> dict[str, Any]:
    """What `elcrec try` writes."""
    record = {"format": 1, "dataset": "tiny", "model": "sasrec", "seed": 1, "ranked_by": "paper"}
    record |= {"point": {"dimension": 64}, "select_by": "NDCG@20", "best_epoch": 2, "epochs": 3}
    record |= {"valid": summarise([0, 3, 9, 40]), "seconds": 3.5, "device": "cpu: test"}
    return record | {"commit": "a" * 40, "dirty": False, "kernels": "plain", "fingerprint": "code"}


def released() -> dict[str, Any]:
    """What `elcrec verify released --output` writes."""
    metrics = {split: summarise([0, 3, 9, 40]) for split in ("valid", "test")}
    record = {
        "model": "elcrec",
        "dataset": "beauty",
        "file": "ELCRec-Beauty.pt",
        "metrics": metrics,
    }
    record |= {"protocol": "paper", "commit": "a" * 40, "dirty": False, "device": "cpu: test"}
    intents = {"count": 256, "users": 4, "in_use": 2, "center_cosine": -0.1, "user_cosine": 0.9}
    return record | {"intents": intents, "command": ["elcrec", "verify"]}


def statistics(dataset: str) -> dict[str, Any]:
    """What `elcrec data prepare` writes, of 3 users and 4 items."""
    record = {"dataset": dataset, "name": "ML-1M", "users": 3, "items": 8, "actions": 12}
    record |= {"mean_length": 4.0, "sparsity_percent": 50.0, "format": "movielens"}
    return record | {"before_core": {"users": 5, "items": 9, "actions": 20}}


class Damage:
    """Damages one file at a time and puts it back."""

    def __init__(self) -> None:
        self.good: dict[Path, bytes] = {}

    def apply(self, data: st.DataObject, path: Path) -> None:
        """Damage `path`, after the file damaged before has been put back."""
        self.restore()
        self.good[path] = path.read_bytes()
        path.write_bytes(data.draw(damaged_file(self.good[path], path.suffix)))

    def restore(self) -> None:
        """Put back what was there."""
        for path, content in self.good.items():
            path.write_bytes(content)
        self.good.clear()
