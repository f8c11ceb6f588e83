"""Histories for measurements: generated ones of any size, and real ones with shuffled users."""

import numpy as np

from elcrec.data.sequences import Sequences

SHORTEST, LONGEST = 5, 1000
"""Fewest (5-core data) and most items of a user."""

LENGTH_SCALE, LENGTH_EXPONENT = 5.2, 2.2
"""Lengths minus 5 follow a Lomax law with these; its mean (8.9), median (6) and 99th percentile
(43) are those of Beauty."""

POPULARITY = 0.68
"""An item of rank r is drawn in proportion to r^-0.68, the slope in Beauty."""

CHUNK = 2**22
"""Draws made at once: bounds memory beside the result."""


def generate(users: int, items: int, seed: int = 1) -> Sequences:
    """Draw histories with lengths and popularities like Beauty's, whatever their number.

    Items are drawn independently, so a user may have the same one twice; ids are in no order of
    popularity. The largest id is drawn at least once, so the data set has `items` of them. Users
    have no names.

    Args:
        users: Number of users, at least 1.
        items: Number of items, at least 1.
        seed: Same seed, same data.

    Returns:
        The histories; 8 bytes per interaction, 8.9 interactions per user.
    """
    random = np.random.default_rng(seed)
    excess = LENGTH_SCALE * random.pareto(LENGTH_EXPONENT, users)
    lengths = np.minimum(SHORTEST + excess, LONGEST).astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    names = 1 + random.permutation(items)
    # Ranks invert the integral of r^-POPULARITY from 1 to items + 1: no table of the items, so
    # drawing does not slow down with their number.
    power = 1 - POPULARITY
    top = float(items + 1) ** power - 1
    drawn = np.empty(offsets[-1], dtype=np.int64)
    for start in range(0, len(drawn), CHUNK):
        chunk = drawn[start : start + CHUNK]
        ranks = (1 + top * random.random(len(chunk))) ** (1 / power)
        chunk[:] = names[np.minimum(ranks.astype(np.int64), items) - 1]
    drawn[random.integers(len(drawn))] = items
    return Sequences(drawn, offsets, ())


def shuffled(sequences: Sequences, seed: int) -> Sequences:
    """The same histories with the users in random order.

    In files in order of first appearance the first users have longer histories: 11.7 items in
    Beauty, where all users have 8.9. A part of the users would not be representative.
    """
    order = np.random.default_rng(seed).permutation(len(sequences.offsets) - 1)
    lengths = np.diff(sequences.offsets)[order]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    shifts = np.repeat(sequences.offsets[order] - offsets[:-1], lengths)
    items = sequences.items[shifts + np.arange(len(sequences.items))]
    return Sequences(items, offsets, tuple(sequences.users[i] for i in order))
