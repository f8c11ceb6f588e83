"""What changes the fingerprint of a model, tried on copies of the sources, and what does not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import elcrec.runs.definitions
import elcrec.runs.fingerprint
from elcrec import ROOT
from elcrec.config.config import MODEL_FOLDER, load_config
from elcrec.evaluation import metrics
from elcrec.evaluation.metrics import FAMILIES, SELECTABLE
from elcrec.runs.fingerprint import ENTRIES, LEFT_OUT, PARTS, deciding_code, fingerprint
from elcrec.runs.settings import module_reference, resolve

CONFIG = load_config()
MODULES = sorted(
    {module_reference(resolve(CONFIG, p.stem, "beauty")) for p in MODEL_FOLDER.glob("*.yaml")}
)
DECIDING = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for part in ("evaluation", "models", "training")
    for path in sorted((ROOT / "elcrec" / part).glob("[!_]*.py"))
    # trainings side by side, what follows from ranks, lists beside them: they decide nothing
    if path.stem not in ("lanes", "lists", "sampled")
]
DECIDING += ["elcrec.data.augmentation", "elcrec.data.histories", "elcrec.data.samples"]


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of all sources, of which fingerprints are taken."""
    for package in ("elcrec", "baselines", "variants"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    monkeypatch.setattr(elcrec.runs.definitions, "SOURCES", tmp_path)
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
        ("elcrec/training/step.py", "try a smaller training.learning_rate", "learn more slowly"),
        ("elcrec/training/loop.py", "the time limit is near: stopped", "out of time: ended"),
        (
            "elcrec/data/histories.py",
            "so no negative can be drawn",
            "there is no negative",
        ),
        (
            "elcrec/evaluation/ranking.py",
            "continuing with smaller chunks",
            "chunks are smaller now",
        ),
        ("elcrec/training/graph.py", "training without CUDA graphs", "no CUDA graphs"),
        ("elcrec/evaluation/metrics.py", "unknown metric", "no such metric"),
        ("elcrec/models/interface.py", "that cannot start from other weights", "without a start"),
        ("baselines/s3rec.py", "is not an encoder with", "has not"),
        ("elcrec/jobs/memory.py", "out of {gpu}", "no memory on {gpu}"),
        ("elcrec/jobs/run.py", "not there yet;", "missing;"),
        (
            "elcrec/evaluation/ranking.py",
            "give_back(plan.data.device)",
            "give_back(plan.data.device); print(1)",
        ),
        ("elcrec/data/histories.py", "Draw `length` ids", "Draw so many ids"),
        # what is recorded
        (
            "elcrec/jobs/run.py",
            '"users": data.n_users,',
            '"users": data.n_users, "items": data.n_items,',
        ),
        (
            "elcrec/evaluation/metrics.py",
            "METRICS = SELECTABLE",
            'METRICS = (*SELECTABLE, "MRR@20")',
        ),
        (
            "elcrec/evaluation/metrics.py",
            '    "MRR": _reciprocals,\n',
            '    "MRR": _reciprocals,\n    "RBP": lambda ranks, k: _hits(ranks, k) * 0.8**ranks,\n',
        ),
        ("elcrec/evaluation/metrics.py", 'TABLE_METRICS = ("HR@5", ', 'TABLE_METRICS = ("HR@10", '),
        ("elcrec/jobs/checkpoints.py", "SECONDS_BETWEEN = ", "SECONDS_BETWEEN = 2 * "),
        ("elcrec/usage.py", "time.perf_counter()", "time.monotonic()"),
        # what makes the histories, whose hash a run records
        ("elcrec/data/core.py", "def k_core(", "CORES = 5\n\n\ndef k_core("),
        ("elcrec/data/sequences.py", "MIN_ITEMS = 4", "MIN_ITEMS = 5"),
        # what is said of types
        ("elcrec/training/step.py", "share: float) -> None:", "share: object):"),
        ("elcrec/data/sequences.py", 'Split = Literal["valid", "test"]', "Split = str"),
        ("elcrec/models/interface.py", "    generator: torch.Generator", "    generator: object"),
        ("elcrec/models/losses.py", "import torch\n", "import re\nimport torch\n"),
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
        (
            ALL,
            "elcrec/training/loop.py",
            "torch.manual_seed(seed)  # dropout",
            "torch.manual_seed(0)",
        ),
        (ALL, "elcrec/training/loop.py", "    torch.manual_seed(seed)\n    model", "    model"),
        (ALL, "elcrec/training/loop.py", "model.load_start(start)", "pass"),
        (ALL, "elcrec/training/loop.py", "[select_by] > result", "[select_by] >= result"),
        (ALL, "elcrec/evaluation/metrics.py", ".mean()) for name", ".max()) for name"),
        (ALL, "elcrec/evaluation/metrics.py", "(ranks < k)", "(ranks <= k)"),
        (ALL, "elcrec/evaluation/metrics.py", "np.log2(ranks + 2.0)", "np.log2(ranks + 3.0)"),
        (
            ALL,
            "elcrec/evaluation/metrics.py",
            "(_checked(ranks), int(match[2]))",
            "(_checked(ranks), 9)",
        ),
        (ALL, "elcrec/evaluation/ranking.py", "scores.lt_(target)", "scores.le_(target)"),
        (ALL, "elcrec/evaluation/ranking.py", "0.0 if protocol", "1.0 if protocol"),
        (ALL, "elcrec/evaluation/tiles.py", "CHUNK_USERS = 1024", "CHUNK_USERS = 512"),
        (ALL, "elcrec/models/interface.py", "data.training_targets(", "data.training_inputs("),
        (ALL, "elcrec/data/histories.py", "HELD_OUT = 2", "HELD_OUT = 1"),
        (ALL, "elcrec/data/histories.py", "(uniform * self._counts", "(uniform**2 * self._counts"),
        (ALL, "elcrec/data/sequences.py", '{"valid": 2, "test": 1}', '{"valid": 1, "test": 1}'),
        (ALL, "elcrec/data/repeats.py", 'protocol != "repeats"', 'protocol != "strict"'),
        (
            ALL,
            "elcrec/training/step.py",
            "lr=settings.learning_rate",
            "lr=2 * settings.learning_rate",
        ),
        (
            ALL,
            "elcrec/training/step.py",
            "order.split(batch_size)",
            "order.flip(0).split(batch_size)",
        ),
        (ALL, "elcrec/training/graph.py", "WARM_UP = 3", "WARM_UP = 4"),
        (
            ALL,
            "elcrec/training/precision.py",
            "    _allow_tf32(False)\n\n",
            "    _allow_tf32(True)\n\n",
        ),
        (ALL, "elcrec/training/resume.py", "torch.set_rng_state(state", "print(state"),
        ("baselines.sasrec", "elcrec/models/losses.py", "1 - negative_score", "1 + negative_score"),
        ("baselines.sasrec", "elcrec/models/encoder.py", "MASKED = -10000.0", "MASKED = -100.0"),
        (
            "baselines.sasrec",
            "elcrec/models/encoder.py",
            "if self.kernels else",
            "if not self.kernels else",
        ),
        ("baselines.sasrec", "elcrec/models/padding.py", "WIDTHS = (2, 4", "WIDTHS = (4"),
        (
            "baselines.sasrec",
            "elcrec/models/dropout.py",
            "least = threshold",
            "least = 1 + threshold",
        ),
        ("baselines.sasrec", "elcrec/models/packing.py", "USUAL_WIDTH = 64", "USUAL_WIDTH = 32"),
        ("baselines.sasrec", "elcrec/models/linear.py", "SMALL = 2**20", "SMALL = 2**21"),
        ("baselines.sasrec", "elcrec/models/softmax.py", "LEFT_OUT = -1e30", "LEFT_OUT = -1e20"),
        ("baselines.sasrec", "elcrec/models/scores.py", 'value=float("-inf")', "value=0.0"),
        ("baselines.s3rec", "elcrec/models/scores.py", "lowest=1", "lowest=2"),
        ("baselines.s3rec", "baselines/sasrec.py", '= "bce"', '= "ce"'),
        ("baselines.caser", "elcrec/data/samples.py", "[:count]", "[-count:]"),
        ("baselines.s3rec_pretrain", "elcrec/data/samples.py", "math.ceil", "math.floor"),
        ("elcrec.models.elcrec", "elcrec/models/kmeans.py", "niter = 20", "niter = 30"),
        (
            "elcrec.models.elcrec",
            "elcrec/data/augmentation.py",
            "data.stops[users] - 3",
            "data.stops[users] - 2",
        ),
        ("elcrec.models.elcrec", "elcrec/data/augmentation.py", "from scipy.stats", "from mine"),
        ("elcrec.models.elcrec", "elcrec/training/intents.py", "SAMPLE = 2000", "SAMPLE = 200"),
        ("baselines.iclrec", "elcrec/models/losses.py", "def intent_loss(", "def intent_loss(x, "),
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
    """Every module goes into another package and gets another name; one is folded into another."""
    before = every()
    folder = sources / "elcrec" / "decisive"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""What decides."""\n')
    names = {part: f"elcrec.decisive.{part.rpartition('.')[2]}_moved" for part in DECIDING}
    names["elcrec.models.dropout"] = names["elcrec.models.encoder"]

    def moved(text: str) -> str:
        for old, new in names.items():
            package, name = new.rsplit(".", 1)
            text = re.sub(rf"\b{old}\b(?!\.\w+ as)".replace(".", r"\."), new, text)
            parent, short = old.rsplit(".", 1)
            imported = f"from {package} import {name} as {short}"
            text = re.sub(rf"from {parent} import {short}\b", imported, text)
        return text

    for path in sorted(sources.rglob("*.py")):
        path.write_text(moved(path.read_text()))
    for part in DECIDING:
        old = sources / f"{part.replace('.', '/')}.py"
        old.rename(folder / f"{old.stem}_moved.py")
    folded, rest = folder / "dropout_moved.py", folder / "encoder_moved.py"
    body = folded.read_text().split('"""\n', 1)[1]
    folded.unlink()
    line = f"from {names['elcrec.models.dropout']} import Dropout\n"
    assert line in rest.read_text()
    rest.write_text(rest.read_text().replace(line, "") + body)

    module = elcrec.runs.fingerprint
    monkeypatch.setattr(
        module, "PARTS", ("baselines", "variants", "elcrec.data", "elcrec.decisive")
    )
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

    direct = of("from elcrec.models.losses import next_item_loss")
    assert of("from elcrec.models import losses", "losses.next_item_loss") == direct
    assert of("import elcrec.models.losses as mine", "mine.next_item_loss") == direct
    assert of("from elcrec.models.losses import contrastive_loss as next_item_loss") != direct
    assert of("from other import next_item_loss") != direct
    assert of("from other import next_item_loss") != of("from another import next_item_loss")
    for imports, called in [
        ("from elcrec.models.losses import *", "next_item_loss"),
        ("import elcrec.models.losses", "elcrec.models.losses.next_item_loss"),
    ]:
        before = of(imports, called)
        edit(sources / "elcrec" / "models" / "losses.py", "1 - negative", "1 + negative")
        assert of(imports, called) != before
        edit(sources / "elcrec" / "models" / "losses.py", "1 + negative", "1 - negative")


def test_every_name_that_the_hash_begins_or_ends_with_is_there():
    for path in (*ENTRIES, *LEFT_OUT):
        module, name = path.rsplit(".", 1)
        assert (
            name
            in elcrec.runs.definitions.definitions(elcrec.runs.definitions.file_of(module)).code
        )
    assert all(elcrec.runs.definitions.file_of(part).exists() for part in PARTS)


def test_the_metrics_that_may_choose_an_epoch_are_hashed():
    families = {name.split("@")[0] for name in metrics.SELECTABLE}
    functions = {
        f"elcrec.evaluation.metrics.{metrics.FAMILIES[family].__name__}" for family in families
    }
    assert functions <= set(ENTRIES)
    assert set(metrics.SELECTABLE) <= set(metrics.METRICS)


UNREACHED = {
    *("Deadline", "MARGIN", "EXIT_STATUS"),  # when to stop with a checkpoint
    *(
        "Options",
        "Report",
        "Result",
        "Checkpoints",
        "TrainingSettings",
        "BEFORE",  # decides the digest of the settings
    ),
    *("Backend", "Run", "Fusion", "RankingProtocol", "Split", "SPLITS", "Precision", "Start"),
    *("T", "Turns"),
    *("FAILED", "PHASES", "TABLE_METRICS", "METRICS", "SELECTABLE", "FAMILIES", "ndcg_bound"),
    *(f.__name__ for name, f in FAMILIES.items() if f"{name}@20" not in SELECTABLE),
    "_cause",  # of a note that is printed
}
"""What may be changed without another training: values that a run records, words, types."""


def test_all_else_in_the_parts_is_hashed():
    hashed = set().union(*(deciding_code(module) for module in MODULES))
    for part in (*DECIDING, *MODULES):
        content = elcrec.runs.definitions.definitions(elcrec.runs.definitions.file_of(part))
        loose = {name for name, code in content.code.items() if code and code not in hashed}
        assert loose <= UNREACHED, part
