"""Table 1 of one data set with numbers that are the same on every metric."""

from itertools import product

from elcrec.statistics.noise import Pool
from elcrec.tables.layout import Names
from elcrec.tables.table1 import AccuracyTable, Cell

NAN = float("nan")
QUIET = {("toys", "a"): 0.0001, ("toys", "b"): 0.0001}  # a run deviates by 1 %
LOUD = {("toys", "a"): 0.01, ("toys", "b"): 0.01}  # by 10 %
NAMES = {"elcrec": "ELCRec", "iclrec": "ICLRec"}


def accuracy(
    mean=NAN, seeds=0, dataset="Beauty", *, paper, variances=QUIET, metrics=("HR@5",), **rivals
):
    """A table of ELCRec's mean, and of rivals' means by id."""
    means = {"elcrec": mean, **rivals}
    cells = {
        ("beauty", k, m): Cell("beauty", k, m, means[m], NAN, NAN, NAN, seeds, 0.05, NAN, "")
        for k, m in product(metrics, means)
    }
    ranked = {("beauty", metric): list(means) if seeds else [] for metric in metrics}
    names = Names({"beauty": dataset}, {m: NAMES[m] for m in means})
    pools = dict.fromkeys(metrics, Pool(variances, dict.fromkeys(variances, 2)))
    return AccuracyTable(cells, ranked, {}, [], "elcrec", names, "paper", {}, [], pools, paper)
