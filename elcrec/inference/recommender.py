"""A finished run as a recommender: items, scores and intents for any histories, in batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from elcrec.config.config import Config, load_config
from elcrec.data.ids import with_raw_ids
from elcrec.data.sequences import Sequences, read_sequences
from elcrec.errors import InputError, shown
from elcrec.evaluation.tiles import CHUNK_USERS, SCORE_MEMORY
from elcrec.inference.histories import PART, Known, LeftOut, Part, Written, numbered
from elcrec.inference.run import Restored, find, restore
from elcrec.jobs.device import find as find_device

SEEN_WIDTH = 512
"""Items of each history masked at a time, which bounds the memory for very long ones."""
NONE = float("-inf")
"""Score of items that are not recommended."""
Best = tuple[NDArray[np.int64], NDArray[np.float32]]
"""The k best items of n histories, best first: numbers of the items, from 1, and their scores, both
(n, k); `NONE` where fewer than k items are left."""


def load(
    run: Path | str,
    config: Path | str | Sequence[Path | str] | None = None,
    device: torch.device | str = "cpu",
) -> Recommender:
    """Load a finished run as a recommender.

    Args:
        run: The folder of a run, or a recorded one, `beauty/elcrec/2`.
        config: A file, or several, as for `--config`: they name the prepared data set, which raw
            ids need.
        device: Device of the model.

    Raises:
        InputError: There is no such run, it has not finished, or its weights are not kept.
    """
    files = [config] if isinstance(config, str | Path) else config or ()
    settings = load_config(files)
    restored = restore(find(run, settings), settings, find_device(str(device)))
    return Recommender(restored, settings)


class Recommender:
    """A trained model and the raw ids of its items.

    A history is a list of items, oldest first: raw ids (texts), as they were in the data set, or
    item numbers from 1 (integers). Recommendations are of the same kind. Users need not be in
    the training data.
    """

    def __init__(self, run: Restored, config: Config) -> None:
        """Keep both; the data set is read when raw ids are first needed.

        Args:
            run: The run.
            config: Tells where its prepared data set is.
        """
        self.run = run
        self.config = config
        self.n_items = run.model.item_size - 2
        self.device = next(chain(run.model.parameters(), run.model.buffers())).device

    def __repr__(self) -> str:
        return f"<{self.run.name}, {self.n_items:,} items>"

    def recommend(
        self, histories: Sequence[Sequence[Any]], k: int = 10, with_seen: bool = False
    ) -> list[list[Any]]:
        """The k best items of each history, best first; fewer where fewer are left.

        Args:
            histories: At least one item each.
            k: Items for each history.
            with_seen: Recommend items of the history, too.

        Raises:
            InputError: An empty history, an unknown item, k below 1 or above the number of items,
                or a model that has weights for each user.
        """
        part, raw = self._part(histories)
        numbers, scores = self.best(part, k, with_seen)
        filled = np.where(scores > NONE, numbers, 1)  # places that are left empty may name the mask
        items: NDArray[Any] = self.ids[filled - 1] if raw else filled
        counts = (scores > NONE).sum(1)
        return [row[:count].tolist() for row, count in zip(items, counts, strict=True)]

    def score(self, histories: Sequence[Sequence[Any]]) -> NDArray[np.float32]:
        """Scores of all items, those of the history too: (n, items), item number 1 first.

        Errors as for `recommend`.
        """
        part, _ = self._part(histories)
        result = np.empty((len(part.rows), self.n_items), dtype=np.float32)
        with torch.inference_mode():
            for positions, _, _, scores in self._scored(part):
                result[positions] = scores[:, 1:-1].cpu().numpy()
        return result

    def intents(self, histories: Sequence[Sequence[Any]]) -> NDArray[np.int64]:
        """The nearest center of each history, as a number from 0: (n,).

        Errors as for `recommend`; also for a model without trained centers.
        """
        part, _ = self._part(histories)
        found = self.run.model.intents(part.data, part.data.tensor(part.rows))
        if found is None or not found.learned:
            raise InputError(f"{self.run.name}: has no intents among its weights")
        return found.assigned.cpu().numpy()

    @torch.inference_mode()
    def best(self, part: Part, k: int, with_seen: bool = False) -> Best:
        """What is recommended to the users of a part; arguments and errors as for `recommend`."""
        if not isinstance(k, int | np.integer) or not 1 <= k <= self.n_items:
            raise InputError(f"{k} recommendations: must be from 1 to {self.n_items} (all items)")
        form = (len(part.rows), k)
        best = np.empty(form, dtype=np.int64), np.empty(form, dtype=np.float32)
        for positions, rows, longest, scores in self._scored(part):
            scores[:, 0] = scores[:, -1] = NONE  # padding and mask
            for end in range(0, 0 if with_seen else longest, SEEN_WIDTH):
                stops = part.data.stops[rows] - end
                width = min(longest, SEEN_WIDTH)
                seen = part.data.windows(part.data.starts[rows], stops, width)
                scores.scatter_(1, seen, NONE)
            top = scores.topk(k)
            best[0][positions], best[1][positions] = top.indices.cpu(), top.values.float().cpu()
        return best

    def _scored(self, part: Part) -> Iterator[tuple[NDArray[np.int64], Tensor, int, Tensor]]:
        """Score histories in order of length, as many at a time as the memory limit allows.

        Yields:
            Their places in the part (b,), rows in its data (b,), the longest length, and scores (b,
            item_size).
        """
        data, model = part.data, self.run.model
        if part.users is None and self.run.per_user:
            raise InputError(
                f"{self.run.name}: has weights for each training user and cannot score "
                "histories of other users"
            )
        users = np.zeros_like(part.rows) if part.users is None else part.users
        lengths = np.diff(data.host_offsets)[part.rows]
        order = np.argsort(lengths, kind="stable")
        memory = SCORE_MEMORY.get(self.device.type, SCORE_MEMORY["cpu"])
        step = max(1, min(CHUNK_USERS, memory // (4 * model.item_size)))
        for start in range(0, len(order), step):
            positions = order[start : start + step]
            longest = int(lengths[positions[-1]])
            rows = data.tensor(part.rows[positions])
            width = min(longest, model.max_length)
            windows = data.windows(data.starts[rows], data.stops[rows], width)
            vectors = model.represent(data.tensor(users[positions]), windows)
            yield positions, rows, longest, model.score_items(vectors, 0, model.item_size)

    def _part(self, histories: Sequence[Sequence[Any]]) -> tuple[Part, bool]:
        """Histories given in Python, and whether they have raw ids."""
        histories = list(histories)
        if any(isinstance(h, str) or not isinstance(h, Collection) for h in histories):
            # A text is also a sequence, of its letters.
            raise InputError("histories: must be a list of lists of items, as [['3', '4'], ['17']]")
        items = np.array(list(chain.from_iterable(histories)), dtype=object)
        lengths = np.array([len(history) for history in histories], dtype=np.int64)
        names = [f"histories[{index}]" for index in range(len(lengths))]
        kind = pd.api.types.infer_dtype(items, skipna=False)
        if kind not in ("string", "integer", "empty"):
            raise InputError("histories: must be lists of raw ids (texts) or of item numbers")
        written = Written(names, items, lengths)
        part = numbered(written, self.numbers(items, kind == "string"), self.device)
        if part is None:
            raise InputError("histories: must have at least one history")
        return part, kind == "string"

    def numbers(self, items: NDArray[Any], raw: bool = True) -> NDArray[np.int64]:
        """Numbers of items (n,), given as raw ids or as numbers; 0 where there is no such item."""
        if raw:
            return self._index.get_indexer(pd.Index(items, dtype=object)) + 1
        return np.where((items >= 1) & (items <= self.n_items), items, 0).astype(np.int64)

    def parts(self, written: Iterator[Written], left_out: LeftOut | None) -> Iterator[Part]:
        """Histories of raw ids read from a file; see `numbered` for `left_out`."""
        for chunk in written:
            part = numbered(chunk, self.numbers(chunk.items), self.device, left_out)
            if part is not None:
                yield part

    def users(self, which: Sequence[str] | None = None) -> Iterator[Part]:
        """Training users with all their items.

        Args:
            which: Their raw ids; None: all.

        Raises:
            InputError: One is not known.
        """
        sequences = self._prepared
        rows = np.arange(sequences.n_users)
        if which is not None:
            ids = pd.Index(np.array(which, dtype=object))
            rows = pd.Index(sequences.users).get_indexer(ids)
            if (rows < 0).any():
                unknown_user = shown(ids[rows < 0][0])
                raise InputError(f"--users: the user {unknown_user} is not in the training data")
        data, names = Known(sequences, self.device), np.array(sequences.users, dtype=object)
        for start in range(0, len(rows), PART):
            chunk = rows[start : start + PART]
            yield Part(names[chunk], data, chunk, chunk)

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """(items,) raw ids, that of item number 1 first."""
        return np.array(self._prepared.item_ids, dtype=object)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self._prepared.item_ids)

    @property
    def _file(self) -> Path:
        dataset = self.run.metrics.dataset
        path = self.config.sequences_file(dataset)
        known = dataset in self.config.datasets
        return self.config.prepared_file(dataset) if known or not path.exists() else path

    @cached_property
    def _prepared(self) -> Sequences:
        """The data set that the run was trained on, with the raw ids of its users and items."""
        path = self._file
        sequences = read_sequences(path)
        if sequences.digest() != self.run.metrics.data:
            raise InputError(f"{path.parent}: is not the data set that the run was trained on")
        if sequences.n_items != self.n_items:
            raise InputError(
                f"{self.run.name}: its weights are of {self.n_items} items, {path} has "
                f"{sequences.n_items}"
            )
        return with_raw_ids(sequences, path.parent)
