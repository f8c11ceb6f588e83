"""Lists of RecBole's models, trained on the exported split, get the metrics that RecBole prints.

The script and its settings are those of docs/compare.md.
"""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from elcrec import ROOT
from elcrec.cli.main import main

RECBOLE = find_spec("recbole")
if RECBOLE is None:
    pytest.skip("RecBole is not installed: `make test-parity` does", allow_module_level=True)

PAGE = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
# Names that NumPy 2 no longer has, and a default of PyTorch 2.6 that refuses RecBole's checkpoints.
NEWER = """
import functools, json, numpy, torch
numpy.float_, numpy.complex_, numpy.unicode_ = numpy.float64, numpy.complex128, numpy.str_
torch.load = functools.partial(torch.load, weights_only=False)
"""
KEEP = "\njson.dump({name: float(value) for name, value in result.items()}, open('said', 'w'))"
SMALL = {
    **{"epochs": 3, "eval_batch_size": 512, "use_gpu": False, "show_progress": False},
    **{"MAX_ITEM_LIST_LENGTH": 10, "n_layers": 1, "n_heads": 1},
    **{"hidden_size": 16, "inner_size": 32},
}
METRICS = ("hit@5", "hit@10", "hit@20", "ndcg@5", "ndcg@10", "ndcg@20")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MovieLens-100K as RecBole ships it, prepared and exported."""
    folder = tmp_path_factory.mktemp("lists")
    ships = Path(RECBOLE.origin).parent / "dataset_example" / "ml-100k" / "ml-100k.inter"
    content = {
        **{"data": str(folder / "data"), "output": str(folder / "results"), "use": ["ml-100k"]},
        "datasets": {"ml-100k": {"path": str(ships), "format": "recbole-inter"}},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    same = ["--dataset", "ml-100k", "--config", str(path)]
    for step in ("fetch", "prepare"):
        assert main(["data", step, *same, "--output", str(folder / "data" / "ml-100k")]) == 0
    assert main(["export-split", *same, "--output", str(folder / "split")]) == 0
    return path


@pytest.mark.parametrize(
    ("model", "settings", "protocol"), [("SASRec", 0, "repeats"), ("BPR", 1, "strict")]
)
def test_metrics_are_those_that_recbole_prints(config, capsys, model, settings, protocol):
    folder = config.parent
    (script,) = blocks("py")
    script = script.replace("SASRec", model).replace("elcrec-beauty", "elcrec-ml-100k")
    told = yaml.safe_load([b for b in blocks("yaml") if b.startswith("# recbole.yaml")][settings])
    (folder / "recbole.yaml").write_text(yaml.safe_dump(told | SMALL))
    (folder / "script.py").write_text(NEWER + script + KEEP)
    command = [sys.executable, "-W", "ignore", "script.py"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    capsys.readouterr()
    predicted = ["compare", str(folder / "recbole.csv"), "--dataset", "ml-100k"]
    assert main([*predicted, "--protocol", protocol, "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    _, values = [line for line in lines if line.startswith("recbole ")]  # title, and the table
    said = json.loads((folder / "said").read_text())
    assert values.split()[1:-1] == [f"{said[metric]:.4f}" for metric in METRICS]
    assert said["hit@20"] > 0.01
