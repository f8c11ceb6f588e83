"""Full-ranking evaluation: the rank of every user's target among all items, in bounded memory.

Protocols (what happens to items the user already had):

- `paper`: they score 0, and the padding and mask rows compete like items, as in the released code;
- `strict`: they, the padding row and the mask row score -inf;
- `repeats`: they compete with the scores that the model gives them (RecBole calls such data
  repeatable); the padding row and the mask row score -inf.

A target is ranked behind every other item that scores at least as much: ties, and scores that are
not numbers, count against the model.

Users are encoded in order of length, then scored in blocks against one tile of items after the
other, small enough for the processor's cache. A block holds users whose targets lie in the same
tile, and that tile comes first: so a target's score comes from the same matrix product that it is
compared with, and no tile is computed twice.
"""

import sys
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Split
from elcrec.errors import InputError
from elcrec.evaluation import tiles
from elcrec.evaluation.tiles import Block, Plan, Tiles
from elcrec.models.interface import RankingProtocol, SequenceModel
from elcrec.usage import give_back, ran_out


class Evaluator:
    """Ranks one split of a data set; what does not depend on the model is computed once.

    A chunk of users carries no more padding than its longest history: models must score a history
    the same with or without padding on its left.
    """

    def __init__(
        self,
        data: InteractionData,
        split: Split,
        max_length: int,
        protocol: RankingProtocol = "paper",
        score_memory: int | None = None,
    ) -> None:
        """Plan the chunks, blocks and tiles.

        Args:
            data: The histories.
            split: `valid` or `test`.
            max_length: Longest window L.
            protocol: `paper`, `strict` or `repeats`.
            score_memory: Maximum bytes of scores held at a time.
        """
        self.protocol = protocol
        self.item_size = data.item_size
        self.seen_score = 0.0 if protocol == "paper" else float("-inf")
        fitted = Tiles.fit(data, score_memory)
        self.plan = Plan(data, split, max_length, fitted, tiles.CHUNK_USERS)
        self.parts = self.plan.parts()

    def ranks(self, model: SequenceModel) -> np.ndarray:
        """Return the 0-based rank of each user's target: (users,) int64.

        The model's mode is restored; only ranks leave the device, once. If memory runs out, the
        evaluation is repeated with half as many users and scores at a time, as are later ones.

        Raises:
            InputError: Memory runs out even with a single user at a time.
        """
        was_training = model.training
        model.eval()
        try:
            while True:
                try:
                    self.parts = self.parts or self.plan.parts()
                    return self._ranks(model)
                except (RuntimeError, MemoryError) as error:
                    if not ran_out(error):
                        raise
                self._shrink()  # here, because the error keeps the attempt's tensors alive
        finally:
            model.train(was_training)

    def _shrink(self) -> None:
        """Halve the users and scores held at a time."""
        plan, self.parts = self.plan, []  # rebuilt once the memory of the old ones is free
        give_back(plan.data.device)
        if plan.chunk_users == 1:
            raise InputError(
                "evaluation: out of memory even with a single user at a time: free some memory, or "
                "make max_length or dimension smaller"
            )
        scores = plan.tiles.rows * plan.tiles.width * 4
        fitted = Tiles.fit(plan.data, max(4, scores // 2))
        self.plan = replace(plan, tiles=fitted, chunk_users=plan.chunk_users // 2)
        print(
            "elcrec: out of memory in an evaluation: continuing with smaller chunks, of at most "
            f"{self.plan.chunk_users} users",
            file=sys.stderr,
        )

    @torch.inference_mode()
    def _ranks(self, model: SequenceModel) -> np.ndarray:
        users, ranks = [], []
        for part in self.parts:
            represented = torch.cat([model.represent(*chunk) for chunk in part.chunks])
            ranks += [self._rank(model, represented[b.rows], b) for b in part.blocks]
            users += [b.users for b in part.blocks]
        result = np.empty(self.plan.data.n_users, dtype=np.int64)
        result[np.concatenate(users)] = torch.cat(ranks).cpu().numpy()
        return result

    def _rank(self, model: SequenceModel, represented: Tensor, block: Block) -> Tensor:
        count = len(represented)
        below = torch.zeros(count, dtype=torch.int64, device=represented.device)
        target: Tensor | None = None
        for tile, seen in block.tiles:
            first, last, scores = self._scores(model, represented, tile, seen)
            if self.protocol != "paper":
                self._hide_other_rows(scores, first, last)
            if target is None:  # the block's own tile
                target = scores.gather(1, block.columns)
            below += scores.lt_(target).sum(1).long()  # in place, as 0 and 1
            del scores  # so that the next ones reuse this memory while it is cached
        return self.item_size - 1 - below

    def _scores(
        self, model: SequenceModel, represented: Tensor, tile: int, seen: Tensor
    ) -> tuple[int, int, Tensor]:
        """Item rows `first` to `last` of a tile and their scores, with the protocol applied."""
        first, last = self.plan.tiles.bounds(tile)
        scores = model.score_items(represented, first, last).contiguous()
        if self.protocol != "repeats":
            scores.view(-1).index_fill_(0, seen, self.seen_score)
        return first, last, scores

    def _hide_other_rows(self, scores: Tensor, first: int, last: int) -> None:
        """Padding (the first row of all) and mask (the last) score -inf."""
        if first == 0:
            scores[:, 0] = float("-inf")
        if last == self.item_size:
            scores[:, -1] = float("-inf")
