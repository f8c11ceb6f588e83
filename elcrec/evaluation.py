"""Full-ranking evaluation: the rank of every user's target among all items, in bounded memory.

Protocols (what happens to items the user already had):

- `paper`: they score 0, and the padding and mask rows compete like items, as in the released code;
- `strict`: they, the padding row and the mask row score -inf.

A target is ranked behind every other item that scores at least as much: ties, and scores that are
not numbers, count against the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from elcrec.dataset import InteractionData
from elcrec.interface import Protocol, SequenceModel
from elcrec.names import Split

SCORE_MEMORY = {"cpu": 16 * 2**20, "cuda": 512 * 2**20}  # bytes of one chunk's score matrix

MOST_ROWS = 2048  # of one chunk: encoding more at once would need more memory than training


@dataclass(frozen=True)
class Chunk:
    """Users of similar history length that are scored together; n users, T positions."""

    users: Tensor
    """(n,) user numbers."""
    sequences: Tensor
    """(n, T) known items, cut to the longest history of the chunk."""
    targets: Tensor
    """(n, 1) the items asked for."""
    seen_rows: Tensor
    """(known interactions,) row in the chunk of each known item."""
    seen_items: Tensor
    """(known interactions,) the known items."""


class Evaluator:
    """Ranks one split of a data set; what does not depend on the model is made once.

    Users are ordered by length, so a chunk carries no more padding than its longest history: models
    must score a history the same with or without padding on its left.
    """

    def __init__(
        self,
        data: InteractionData,
        split: Split,
        max_length: int,
        protocol: Protocol = "paper",
        score_memory: int | None = None,
    ) -> None:
        """Cut the users into chunks.

        Args:
            data: The histories.
            split: `valid` or `test`.
            max_length: Longest window L.
            protocol: `paper` or `strict`.
            score_memory: Bytes that the score matrix of one chunk may take.
        """
        self.protocol = protocol
        self.n_users = data.n_users
        memory = score_memory or SCORE_MEMORY.get(data.device.type, SCORE_MEMORY["cpu"])
        rows = min(MOST_ROWS, max(1, memory // (4 * data.item_size)))
        known = np.diff(data.host_offsets) - data.history_end(split)
        order = np.argsort(np.minimum(known, max_length), kind="stable")
        self.chunks = [
            _chunk(data, split, order[i : i + rows], known, max_length)
            for i in range(0, len(order), rows)
        ]
        self.order = order

    @torch.inference_mode()
    def ranks(self, model: SequenceModel) -> np.ndarray:
        """Return the 0-based rank of each user's target: (users,) int32.

        The model's mode is left as it was; only ranks leave the device, once.
        """
        was_training = model.training
        model.eval()
        ranks = torch.cat([self._rank(model, chunk) for chunk in self.chunks])
        model.train(was_training)
        result = np.empty(self.n_users, dtype=np.int32)
        result[self.order] = ranks.cpu().numpy()
        return result

    def _rank(self, model: SequenceModel, chunk: Chunk) -> Tensor:
        scores = model.score(chunk.users, chunk.sequences)  # (n, item_size)
        if not scores.is_contiguous():
            scores = scores.contiguous()
        if self.protocol == "paper":
            scores[chunk.seen_rows, chunk.seen_items] = 0.0
        else:
            scores[chunk.seen_rows, chunk.seen_items] = float("-inf")
            scores[:, [0, -1]] = float("-inf")
        below = scores < scores.gather(1, chunk.targets)
        return (scores.shape[1] - 1 - below.sum(1)).int()


def _chunk(
    data: InteractionData, split: Split, users: np.ndarray, known: np.ndarray, max_length: int
) -> Chunk:
    counts = known[users]
    width = int(np.minimum(counts, max_length).max())
    starts = data.host_offsets[users]
    rows = np.repeat(np.arange(len(users)), counts)
    first = np.repeat(starts - np.r_[0, np.cumsum(counts)[:-1]], counts)
    seen = data.host_items[first + np.arange(len(rows))]
    numbers = torch.from_numpy(users).to(data.device)
    return Chunk(
        users=numbers,
        sequences=data.histories(numbers, split, width),
        targets=data.targets(numbers, split)[:, None],
        seen_rows=torch.from_numpy(rows).to(data.device),
        seen_items=torch.from_numpy(seen).to(data.device),
    )
