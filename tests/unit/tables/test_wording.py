"""Words of the tables that follow from numbers."""

from elcrec.statistics.noise import Pool
from elcrec.tables.layout import Names
from elcrec.tables.wording import noisier


def test_of_noisy_models_those_of_the_table_are_named():
    values = {("d", model): [0.2, 0.201, 0.199] for model in "abc"}
    pools = {"HR@5": Pool.of(values | {("d", "noisy"): [0.1, 0.2, 0.3]})}
    datasets = {"d": "D"}
    assert noisier(pools, Names(datasets, {"noisy": "Noisy"})) == {"Noisy on D": ["HR@5 50.0 %"]}
    assert noisier(pools, Names(datasets, {"a": "A"})) == {}
