"""What changes the fingerprint of a model, tried on copies of the sources, and what does not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import elcrec.definitions
import elcrec.fingerprint
from elcrec import metrics
from elcrec.config import MODEL_FOLDER, ROOT, load_config
from elcrec.fingerprint import ENTRIES, LEFT_OUT, PARTS, deciding, fingerprint
from elcrec.registry import module_reference, resolve

CONFIG = load_config()
MODULES = sorted(
    {module_reference(resolve(CONFIG, p.stem, "beauty")) for p in MODEL_FOLDER.glob("*.yaml")}
)
FLAT = [part for part in PARTS if part not in ("baselines", "elcrec.data")]


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of all sources, of which fingerprints are taken."""
    for package in ("elcrec", "baselines"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    monkeypatch.setattr(elcrec.definitions, "ROOT", tmp_path)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(f"{text.replace(old, new)}#\n")  # another size than before in any case


def every(rename=lambda module: module) -> dict[str, str]:
    return {module: fingerprint(rename(module)) for module in MODULES}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        # what is said
        ("elcrec/step.py", "try a smaller training.learning_rate", "learn more slowly"),
        ("elcrec/engine.py", "the time limit is near: stopped", "out of time: ended"),
        ("elcrec/dataset.py", "has every item, so that no negative", "owns all: no negative"),
        ("elcrec/evaluation.py", "it goes on with smaller chunks", "chunks are smaller now"),
        ("elcrec/graph.py", "training without CUDA graphs", "no CUDA graphs"),
        ("elcrec/metrics.py", "unknown metric", "no such metric"),
        ("elcrec/interface.py", "that cannot start from other weights", "without a start"),
        ("baselines/s3rec.py", "is not an encoder with", "has not"),
        ("elcrec/run.py", "out of {'GPU '", "no memory on {'GPU '"),
        ("elcrec/start.py", "not there yet;", "missing;"),
        (
            "elcrec/evaluation.py",
            "give_back(self.data.device)",
            "give_back(self.data.device); print(1)",
        ),
        ("elcrec/dataset.py", "Draw `length` ids", "Draw so many ids"),
        # what is recorded
        (
            "elcrec/run.py",
            '"users": data.n_users,',
            '"users": data.n_users, "items": data.n_items,',
        ),
        ("elcrec/metrics.py", "METRICS = SELECTABLE", 'METRICS = (*SELECTABLE, "MRR@20")'),
        (
            "elcrec/metrics.py",
            '    "NDCG": _gains,\n}',
            '    "NDCG": _gains,\n    "MRR": _reciprocals,\n}\n\n\n'
            "def _reciprocals(ranks, k):\n    return _hits(ranks, k) / (ranks + 1)\n",
        ),
        ("elcrec/metrics.py", 'TABLE_METRICS = ("HR@5", ', 'TABLE_METRICS = ("HR@10", '),
        ("elcrec/checkpoint.py", "SECONDS_BETWEEN = ", "SECONDS_BETWEEN = 2 * "),
        ("elcrec/measure.py", "time.perf_counter()", "time.monotonic()"),
        # what makes the histories, whose hash a run records
        ("elcrec/data/core.py", "def k_core(", "CORES = 5\n\n\ndef k_core("),
        ("elcrec/data/sequences.py", "MIN_ITEMS = 4", "MIN_ITEMS = 5"),
        # what is said of types
        ("elcrec/step.py", "share: float) -> None:", "share: object):"),
        ("elcrec/names.py", 'Split = Literal["valid", "test"]', "Split = str"),
        ("elcrec/interface.py", "    generator: torch.Generator", "    generator: object"),
        ("elcrec/losses.py", "import torch\n", "import re\nimport torch\n"),
    ],
)
def test_what_decides_no_number_changes_no_fingerprint(sources, file, old, new):
    before = every()
    edit(sources / file, old, new)
    assert every() == before


ALL = "baselines.popularity"  # the model with the least code of its own


@pytest.mark.parametrize(
    ("module", "file", "old", "new"),
    [
        (ALL, "elcrec/engine.py", "torch.manual_seed(seed)  # dropout", "torch.manual_seed(0)"),
        (ALL, "elcrec/engine.py", "    torch.manual_seed(seed)\n    model", "    model"),
        (ALL, "elcrec/engine.py", "model.load_start(start)", "pass"),
        (ALL, "elcrec/engine.py", "[select_by] > result", "[select_by] >= result"),
        (ALL, "elcrec/metrics.py", ".mean()) for name", ".max()) for name"),
        (ALL, "elcrec/metrics.py", "(ranks < k)", "(ranks <= k)"),
        (ALL, "elcrec/metrics.py", "np.log2(ranks + 2.0)", "np.log2(ranks + 3.0)"),
        (ALL, "elcrec/metrics.py", "(_checked(ranks), int(match[2]))", "(_checked(ranks), 9)"),
        (ALL, "elcrec/evaluation.py", "scores.lt_(target)", "scores.le_(target)"),
        (ALL, "elcrec/evaluation.py", "0.0 if protocol", "1.0 if protocol"),
        (ALL, "elcrec/ranking_plan.py", "CHUNK_USERS = 1024", "CHUNK_USERS = 512"),
        (ALL, "elcrec/interface.py", "data.training_targets(", "data.training_inputs("),
        (ALL, "elcrec/dataset.py", "HELD_OUT = 2", "HELD_OUT = 1"),
        (ALL, "elcrec/dataset.py", "(uniform * self._counts", "(uniform**2 * self._counts"),
        (ALL, "elcrec/dataset.py", '{"valid": 2, "test": 1}', '{"valid": 1, "test": 1}'),
        (ALL, "elcrec/step.py", "lr=settings.learning_rate", "lr=2 * settings.learning_rate"),
        (ALL, "elcrec/step.py", "order.split(batch_size)", "order.flip(0).split(batch_size)"),
        (ALL, "elcrec/graph.py", "WARM_UP = 3", "WARM_UP = 4"),
        (ALL, "elcrec/precision.py", "    _allow_tf32(False)\n\n", "    _allow_tf32(True)\n\n"),
        (ALL, "elcrec/resume.py", "torch.set_rng_state(state", "print(state"),
        ("baselines.sasrec", "elcrec/losses.py", "1 - negative_score", "1 + negative_score"),
        ("baselines.sasrec", "elcrec/encoder.py", "MASKED = -10000.0", "MASKED = -100.0"),
        ("baselines.sasrec", "elcrec/encoder.py", '== "native"', '!= "native"'),
        ("baselines.sasrec", "elcrec/padding.py", "WIDTHS = (2, 4", "WIDTHS = (4"),
        ("baselines.sasrec", "elcrec/dropout.py", "draws >= threshold", "draws > threshold"),
        ("baselines.sasrec", "elcrec/scores.py", 'value=float("-inf")', "value=0.0"),
        ("baselines.s3rec", "elcrec/scores.py", "lowest=1", "lowest=2"),
        ("baselines.s3rec", "baselines/sasrec.py", '= "bce"', '= "ce"'),
        ("baselines.caser", "elcrec/sampling.py", "[:count]", "[-count:]"),
        ("baselines.s3rec_pretrain", "elcrec/prefixes.py", "math.ceil", "math.floor"),
        ("elcrec.model", "elcrec/clustering.py", "niter = 20", "niter = 30"),
        (
            "elcrec.model",
            "elcrec/augmentation.py",
            "data.stops[users] - 3",
            "data.stops[users] - 2",
        ),
        ("elcrec.model", "elcrec/augmentation.py", "from scipy.stats", "from mine"),
        ("elcrec.model", "elcrec/intents.py", "SAMPLE = 2000", "SAMPLE = 200"),
        ("baselines.iclrec", "elcrec/model.py", "def intent_loss(", "def intent_loss(x, "),
    ],
)
def test_what_decides_numbers_changes_the_fingerprint(sources, module, file, old, new):
    before = fingerprint(module)
    edit(sources / file, old, new)
    assert fingerprint(module) != before


def test_the_code_of_one_model_changes_no_other(sources):
    before = every()
    edit(sources / "baselines" / "caser.py", "class Model(", "CHANGED = 1\n\n\nclass Model(")
    assert {module for module, hashed in every().items() if before[module] != hashed} == {
        "baselines.caser"
    }


def test_files_that_move_and_are_joined_change_no_fingerprint(sources, monkeypatch):
    """Every flat module goes into a package and gets another name; one is folded into another."""
    before = every()
    folder = sources / "elcrec" / "decisive"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""What decides."""\n')
    names = {part: f"elcrec.decisive.{part.split('.')[1]}_moved" for part in FLAT}
    names["elcrec.sampling"] = names["elcrec.prefixes"]

    def moved(text: str) -> str:
        for old, new in names.items():
            package, name = new.rsplit(".", 1)
            text = re.sub(rf"\b{old}\b(?!\.\w+ as)".replace(".", r"\."), new, text)
            short = old.split(".")[1]
            text = re.sub(rf"from elcrec import {short}\b", f"from {package} import {name}", text)
            if short == "ranking_plan":
                text = text.replace(f"{short}.CHUNK", f"{name}.CHUNK")
        return text

    for path in sorted(sources.rglob("*.py")):
        path.write_text(moved(path.read_text()))
    for part in FLAT:
        old = sources / f"{part.replace('.', '/')}.py"
        old.rename(folder / f"{old.stem}_moved.py")
    folded = folder / "sampling_moved.py"
    body = folded.read_text().split("from torch import Tensor\n")[1]
    folded.unlink()
    rest = folder / "prefixes_moved.py"
    line = f"from {names['elcrec.sampling']} import choose_samples\n"
    assert line in rest.read_text()
    rest.write_text(rest.read_text().replace(line, "") + body)

    module = elcrec.fingerprint
    monkeypatch.setattr(module, "PARTS", ("baselines", "elcrec.data", "elcrec.decisive"))
    for attribute in ("ENTRIES", "LEFT_OUT"):
        monkeypatch.setattr(module, attribute, tuple(map(moved, getattr(module, attribute))))
    assert every(lambda name: names.get(name, name)) == before


USER = '''
"""A model of the user."""
{imports}


class Model:
    def loss(self, batch):
        return {called}(batch)
'''


def test_how_a_function_is_imported_does_not_count_but_which_one_it_is(sources):
    def of(imports: str, called: str = "next_item_loss") -> str:
        path = sources / "mine.py"
        path.write_text(USER.format(imports=imports, called=called))
        return fingerprint(str(path))

    direct = of("from elcrec.losses import next_item_loss")
    assert of("from elcrec import losses", "losses.next_item_loss") == direct
    assert of("import elcrec.losses as mine", "mine.next_item_loss") == direct
    assert of("from elcrec.losses import contrastive_loss as next_item_loss") != direct
    assert of("from other import next_item_loss") != direct
    assert of("from other import next_item_loss") != of("from another import next_item_loss")
    for imports, called in [
        ("from elcrec.losses import *", "next_item_loss"),
        ("import elcrec.losses", "elcrec.losses.next_item_loss"),
    ]:
        before = of(imports, called)
        edit(sources / "elcrec" / "losses.py", "1 - negative", "1 + negative")
        assert of(imports, called) != before
        edit(sources / "elcrec" / "losses.py", "1 + negative", "1 - negative")


def test_every_name_that_the_hash_begins_or_ends_with_is_there():
    for path in (*ENTRIES, *LEFT_OUT):
        module, name = path.rsplit(".", 1)
        assert name in elcrec.definitions.definitions(elcrec.definitions.file_of(module)).code
    assert all(elcrec.definitions.file_of(part).exists() for part in PARTS)


def test_the_metrics_that_may_choose_an_epoch_are_hashed():
    families = {name.split("@")[0] for name in metrics.SELECTABLE}
    functions = {f"elcrec.metrics.{metrics.FAMILIES[family].__name__}" for family in families}
    assert functions <= set(ENTRIES)
    assert set(metrics.SELECTABLE) <= set(metrics.METRICS)


UNREACHED = {
    *("Deadline", "MARGIN", "EXIT_STATUS"),  # when to stop with a checkpoint
    *("Options", "Report", "Result", "TrainingSettings", "train", "train_epoch", "take_all"),
    *("Backend", "Run", "Fusion", "Protocol", "Split", "SPLITS", "Precision", "T", "Turns"),
    *("FAILED", "PHASES", "TABLE_METRICS", "METRICS", "SELECTABLE", "FAMILIES", "ndcg_bound"),
    "_cause",  # of a note that is printed
}
"""What may be changed without another training: values that a run records, words, types."""


def test_all_else_in_the_parts_is_hashed():
    hashed = set().union(*(deciding(module) for module in MODULES))
    for part in (*FLAT, *MODULES):
        content = elcrec.definitions.definitions(elcrec.definitions.file_of(part))
        loose = {name for name, code in content.code.items() if code and code not in hashed}
        assert loose <= UNREACHED, part
