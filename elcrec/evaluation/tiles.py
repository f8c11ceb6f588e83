"""How users and items are cut up for ranking; made once per split, on the host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Split

SCORE_MEMORY = {"cpu": 16 * 2**20, "cuda": 128 * 2**20}
"""Maximum bytes of scores held at a time, by kind of device."""

TILE_MEMORY = {"cpu": 2 * 2**20, "cuda": 128 * 2**20}
"""Best number of bytes of scores to hold at a time: on a CPU, what its cache holds."""

FEW_ROWS, MANY_ROWS = 128, 1024
"""Users per block: fewer make the matrix product slow, more gain nothing."""

CHUNK_USERS = 1024
"""Users encoded at once: more would need more memory than training."""

PART_USERS = 32768
"""Users whose representations are held at a time."""


@dataclass(frozen=True)
class Tiles:
    """Ranges of item rows, equally wide except the last."""

    item_size: int
    width: int
    rows: int
    """Maximum number of users scored against a tile at once."""

    @classmethod
    def fit(cls, data: InteractionData, score_memory: int | None = None) -> Tiles:
        """Choose width and rows so that scores stay within `score_memory` bytes.

        A single user is scored against at least one item, whatever the memory.
        """
        kind = data.device.type if data.device.type in SCORE_MEMORY else "cpu"
        floats = max(1, (score_memory or SCORE_MEMORY[kind]) // 4)
        best = min(floats, TILE_MEMORY[kind] // 4)
        users = min(data.n_users, PART_USERS)
        # As many tiles as keep scores in the cache, but with enough users whose target is in each;
        # and never one that is too wide for a single user.
        wanted = -(-data.item_size // max(1, best // MANY_ROWS))
        count = max(min(wanted, max(1, users // FEW_ROWS)), -(-data.item_size // floats))
        width = -(-data.item_size // count)
        return cls(data.item_size, width, max(1, best // width, min(FEW_ROWS, floats // width)))

    @property
    def count(self) -> int:
        """Number of tiles."""
        return -(-self.item_size // self.width)

    def bounds(self, tile: int) -> tuple[int, int]:
        """First item row of a tile, and one past its last."""
        return tile * self.width, min((tile + 1) * self.width, self.item_size)


@dataclass(frozen=True)
class Block:
    """Up to `Tiles.rows` users whose targets lie in one tile; n users."""

    users: np.ndarray
    """(n,) user numbers."""
    rows: Tensor
    """(n,) their rows among the representations of the part."""
    columns: Tensor
    """(n, 1) their targets' columns in the first tile."""
    tiles: list[tuple[int, Tensor]]
    """Every tile, that of the targets first, with the known items in it: positions in the
    flattened (n, width) scores."""


@dataclass(frozen=True)
class Part:
    """Users whose representations are held at the same time."""

    chunks: list[tuple[Tensor, Tensor]]
    """Users (n,) and their known items (n, T), T the longest history of the chunk."""
    blocks: list[Block]


@dataclass(frozen=True)
class Plan:
    """How all users of a split are cut up, in order of the length of their known history."""

    data: InteractionData
    split: Split
    max_length: int
    """Longest window L."""
    tiles: Tiles
    chunk_users: int
    """Users encoded at once."""

    @cached_property
    def known(self) -> np.ndarray:
        """Length of each user's input history for the split: (users,)."""
        return np.diff(self.data.host_offsets) - self.data.history_end(self.split)

    def parts(self) -> list[Part]:
        """Make the chunks and blocks of all users."""
        order = np.argsort(np.minimum(self.known, self.max_length), kind="stable")
        return [self._part(order[i : i + PART_USERS]) for i in range(0, len(order), PART_USERS)]

    def _part(self, users: np.ndarray) -> Part:
        data, tiles = self.data, self.tiles
        chunks = []
        for start in range(0, len(users), self.chunk_users):
            some = users[start : start + self.chunk_users]
            width = int(np.minimum(self.known[some], self.max_length).max())
            numbers = data.tensor(some)
            chunks.append((numbers, data.histories(numbers, self.split, width)))
        targets = data.host_items[data.host_offsets[users + 1] - data.history_end(self.split)]
        home = targets // tiles.width
        by_home = np.argsort(home, kind="stable")
        cuts = np.flatnonzero(np.diff(home[by_home])) + 1
        blocks = [
            self._block(users[rows], rows, targets[rows])
            for group in np.split(by_home, cuts)
            for rows in np.split(group, range(tiles.rows, len(group), tiles.rows))
        ]
        return Part(chunks, blocks)

    def _block(self, users: np.ndarray, rows: np.ndarray, targets: np.ndarray) -> Block:
        data, tiles = self.data, self.tiles
        home = int(targets[0]) // tiles.width
        counts = self.known[users]
        row = np.repeat(np.arange(len(users)), counts)
        first = np.repeat(data.host_offsets[users] - np.r_[0, np.cumsum(counts)[:-1]], counts)
        item = data.host_items[first + np.arange(len(row))]
        tile = item // tiles.width
        last = tiles.item_size - (tiles.count - 1) * tiles.width  # the last tile may be narrower
        widths = np.where(tile == tiles.count - 1, last, tiles.width)
        order = np.argsort(tile, kind="stable")
        flat = data.tensor((row * widths + item - tile * tiles.width)[order])
        starts = np.searchsorted(tile[order], np.arange(tiles.count + 1))
        others = [t for t in range(tiles.count) if t != home]
        return Block(
            users=users,
            rows=data.tensor(rows),
            columns=data.tensor(targets - home * tiles.width)[:, None],
            tiles=[(t, flat[starts[t] : starts[t + 1]]) for t in (home, *others)],
        )
