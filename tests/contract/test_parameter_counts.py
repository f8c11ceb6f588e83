"""Sizes of all models on Beauty, as the shipped settings build them."""

import pytest

from elcrec.config.config import load_config
from elcrec.runs.settings import resolve

USERS, ITEM_SIZE = 22363, 12103  # 12101 items, padding and mask
ITEMS, D, LENGTH = ITEM_SIZE - 2, 64, 50


def encoder(blocks: int) -> int:
    """Item and position table, LayerNorm on the embeddings, and the Transformer blocks."""
    return (ITEM_SIZE + LENGTH) * D + 2 * D + blocks * (12 * D**2 + 13 * D)


def gru4rec(hidden: int) -> int:
    """Item table, GRU without bias, dense layer."""
    return (ITEMS + 1) * D + 3 * hidden * (D + hidden) + hidden * D + D


def caser(length: int, horizontal: int, vertical: int) -> int:
    """Users, items, filters, dense layer, output table with bias."""
    filters = horizontal * (D * length * (length + 1) // 2 + length) + vertical * (length + 1)
    dense = (vertical * D + horizontal * length) * D + D
    return USERS * D + (ITEMS + 1) * D + filters + dense + (ITEMS + 1) * (2 * D + 1)


@pytest.mark.parametrize(
    ("model", "formula", "count"),
    [
        ("popularity", 0, 0),
        ("bprmf", (USERS + ITEMS) * D, 2_205_696),
        ("gru4rec", gru4rec(128), 856_512),
        ("gru4rec_ce", gru4rec(128), 856_512),
        ("caser", caser(5, 16, 4), 3_803_950),
        ("sasrec", encoder(2), 877_888),
        ("sasrec_ce", encoder(2), 877_888),
        ("iclrec", encoder(1), 827_904),
        ("elcrec", encoder(1) + 256 * D, 844_288),
    ],
)
def test_parameters_on_beauty(model, formula, count):
    settings = resolve(load_config(), model, "beauty")
    built = settings.build(USERS, ITEM_SIZE)
    assert sum(p.numel() for p in built.parameters()) == formula == count
