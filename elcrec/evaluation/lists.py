"""Every user's top-N list: the head of the ranking that `elcrec.evaluation.ranking` evaluates.

This is a separate pass after the test: the ranking code is part of every run's fingerprint, so
leaving it alone keeps ranks, and which runs may share a table, as they were.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elcrec.data.matrix import training_matrix
from elcrec.evaluation.ranking import Evaluator
from elcrec.evaluation.tiles import FEW_ROWS, Block
from elcrec.models.interface import SequenceModel

LISTED = 20
"""Items kept in each list."""


class Lister(Evaluator):
    """Finds the best items of each user, under the same protocol and in the same memory."""

    def __init__(self, *arguments: Any) -> None:
        """Arguments as for `Evaluator`."""
        super().__init__(*arguments)
        tiles, data = self.plan.tiles, self.plan.data
        # Few users against many items: top-k is faster on one long row than on many short ones.
        held = tiles.rows * tiles.width
        width = min(tiles.item_size, max(tiles.width, held // FEW_ROWS))
        wide = replace(tiles, width=width, rows=max(1, held // width))
        self.plan, self.parts = replace(self.plan, tiles=wide), []
        self.popularity = data.tensor(training_matrix(data).sum(0).astype(np.float32))

    def lists(self, model: SequenceModel) -> dict[str, np.ndarray]:
        """Return the top-N lists of all users, and how popular the items before the target are.

        Returns:
            `test`: (users, LISTED) item numbers, best first; 0 where fewer compete. The padding and
            mask rows, which compete under `paper`, are left out; ties are in no fixed order.
            `ahead`: (users,) number of training users, summed over all other items that score as
            much as the target or more. Both int64; errors as for `ranks`.
        """
        found = self.ranks(model)  # handles the model's mode and running out of memory
        return {"test": found[:, :LISTED], "ahead": found[:, LISTED]}

    @torch.inference_mode()
    def _ranks(self, model: SequenceModel) -> np.ndarray:
        found = np.zeros((self.plan.data.n_users, LISTED + 1), dtype=np.int64)
        for part in self.parts:
            represented = torch.cat([model.represent(*chunk) for chunk in part.chunks])
            for block in part.blocks:
                best, ahead = self._best(model, represented[block.rows], block)
                found[block.users, : best.shape[1]] = best.cpu().numpy()
                found[block.users, LISTED] = ahead.round().long().cpu().numpy()
        return found

    def _best(
        self, model: SequenceModel, represented: Tensor, block: Block
    ) -> tuple[Tensor, Tensor]:
        tops: dict[int, tuple[Tensor, Tensor]] = {}
        ahead = represented.new_zeros(len(represented), dtype=torch.float64)
        target: Tensor | None = None
        for tile, seen in block.tiles:
            first, last, scores = self._scores(model, represented, tile, seen)
            self._hide_other_rows(scores, first, last)
            if target is None:  # the block's own tile
                target = scores.gather(1, block.columns)
                ahead -= self.popularity[first + block.columns[:, 0]]  # not the target itself
            top = scores.topk(min(LISTED, last - first))
            tops[tile] = top.values, top.indices + first
            ahead += (scores >= target).to(self.popularity.dtype) @ self.popularity[first:last]
        # In the order of the items, so that ties do not favour the target's tile.
        ordered = [tops[tile] for tile in sorted(tops)]
        values, items = (torch.cat(part, 1) for part in zip(*ordered, strict=True))
        best = values.sort(dim=1, descending=True, stable=True)
        listed = items.gather(1, best.indices).masked_fill_(best.values == float("-inf"), 0)
        return listed[:, :LISTED], ahead
