"""Write a small known-answer data set and a configuration for it: python make_tiny.py FOLDER."""

import sys
from pathlib import Path

import numpy as np
import yaml

MODELS = ["popularity", "sasrec", "iclrec", "elcrec"]


def write(folder: Path, **changes: object) -> Path:
    """Everyone walks one cycle of 40 items; returns the path of the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    lines = []
    for user in range(1, 121):
        start, length = random.integers(40), random.integers(6, 18)
        items = 1 + (start + np.arange(length)) % 40
        lines.append(f"{user} {' '.join(map(str, items))}\n")
    (folder / "tiny.txt").write_text("".join(lines))
    config = {
        "output": str(folder / "results"),
        "data": str(folder / "data"),
        "use": ["tiny"],
        "models": MODELS,
        "seeds": [1, 2],
        "training": {"max_epochs": 2, "batch_size": 64},
        "parameters": {"iclrec": {"intents": 8}, "elcrec": {"intents": 8}},
        "threads": 1,
        "efficiency": {"models": ["iclrec", "elcrec"], "seed": 1, "epochs": 1},
        "figures": {
            "snapshot_epochs": [0, 1],
            "ablation": {"datasets": ["tiny"]},
            "sensitivity": {"datasets": ["tiny"], "alpha": [0.1, 1], "intents": [4, 8]},
        },
        "datasets": {"tiny": {"name": "Tiny", "path": str(folder / "tiny.txt")}},
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(config | changes))
    return path


if __name__ == "__main__":
    write(Path(sys.argv[1]))
