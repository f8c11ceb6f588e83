"""A checkout with the entry points of the authors' released code, but tiny and our own."""

from pathlib import Path

MAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--tao", type=float, default=0.2)
parser.add_argument("--num_intent_clusters", default="256", type=str)
parser.add_argument("--batch_size", type=int, default=256)
parser.add_argument("--do_eval", action="store_true")
raise SystemExit("importing main.py would train")
"""

UTILS = """
import torch

def set_seed(seed):
    torch.manual_seed(seed)

def get_user_seqs(path):
    rows = [[int(x) for x in line.split()[1:]] for line in open(path)]
    return rows, max(map(max, rows)), "valid matrix", "test matrix"
"""

DATASETS = """
import torch
from torch.utils.data import Dataset

class RecWithContrastiveLearningDataset(Dataset):
    def __init__(self, args, user_seq, test_neg_items=None, data_type="train"):
        assert data_type in ("train", "valid", "test")
        self.user_seq = user_seq

    def __getitem__(self, index):
        return torch.tensor(self.user_seq[index][:3])

    def __len__(self):
        return len(self.user_seq)
"""

MODELS = """
from torch import nn

class SASRecModel(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.items = nn.Embedding(args.item_size, 4)
"""

ALL_LOADERS = """
class Trainer:
    def __init__(self, model, train_dataloader, cluster_dataloader, eval_dataloader,
                 test_dataloader, args):
        self.model, self.args, self.eval_dataloader = model, args, eval_dataloader
"""

GLOBAL_LOADERS = """
class Trainer:
    def __init__(self, model, test_dataloader, args):
        self.model, self.args, self.eval_dataloader = model, args, eval_dataloader
"""

ITERATION = """
    def iteration(self, epoch, dataloader, cluster_dataloader=None, full_sort=True, train=True):
        if train and epoch == 0:
            for batch in cluster_dataloader:
                self.model.items(batch)
        for batch in dataloader:
            if train:
                self.model.items(batch).sum().backward()
        open(self.args.log_file, "a").write("done")
        print("something on the standard output")

    def valid(self, epoch, full_sort=False):
        assert full_sort
        return self.iteration(epoch, self.eval_dataloader, full_sort=True, train=False)

class ELCRecTrainer(Trainer):
    pass
"""


def write_checkout(folder: Path, trainer: str = "all loaders") -> Path:
    """Write it into a new folder; `trainer`: as in the later or as in the earlier commit."""
    head = {"all loaders": ALL_LOADERS, "global loaders": GLOBAL_LOADERS}[trainer]
    files = {
        "main": MAIN,
        "utils": UTILS,
        "datasets": DATASETS,
        "models": MODELS,
        "trainers": head + ITERATION,
        "modules": "",
        "data_augmentation": "",
    }
    (folder / "src").mkdir(parents=True)
    for name, code in files.items():
        (folder / "src" / f"{name}.py").write_text(code)
    return folder
