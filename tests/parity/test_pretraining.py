"""S3-Rec's first stage: scores of the masked item, and both losses, one prefix at a time.

RecBole pads on the left here, as we do, so neither windows nor positions are moved.
"""

import math
from dataclasses import fields

import numpy as np
import pytest
import torch

from baselines import s3rec_pretrain
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences
from elcrec.models.interface import Context
from elcrec.usage import Stopwatch
from tests.parity import reference, weights
from tests.parity.comparison import (
    FULL,
    ITEMS,
    SEEDS,
    TOLERANCE,
    USERS,
    ScoreParity,
    deviation,
    left_padded,
    make,
    perturbed,
)

PREFIXES = 24


def twin(ours):
    options = reference.s3rec_options(ours.parameters_used)
    return reference.build_s3rec(ours, options, weights.s3rec(ours.state_dict(), FULL))


class TestS3RecPretraining(ScoreParity):
    """RecBole never scores in this stage: these are its encoder, projection and item table."""

    module = s3rec_pretrain
    unread = ["segment_projection.weight", "segment_projection.bias"]

    def expected(self, ours, users, histories):
        token = torch.full_like(histories[:, :1], ours.mask_id)
        windows = left_padded(torch.cat([histories, token], 1), FULL)
        theirs = twin(ours)
        hidden = theirs.mip_norm(theirs(windows)[:, -1])
        return (hidden @ theirs.item_embedding.weight.T)[:, 1 : ITEMS + 1]


class TestS3RecPretrainingLosses:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_losses_are_those_of_recbole(self, seed, record_property):
        ours = make(s3rec_pretrain, seed)
        prefixes = draw_prefixes(ours, seed)
        lengths = [int((row.masked > 0).sum()) for row in prefixes]
        assert min(lengths) == 1
        assert max(lengths) == FULL
        found = deviation(losses(ours, prefixes), expected_losses(ours, prefixes))
        record_property("deviation", found)
        assert found <= TOLERANCE

    def test_one_wrong_number_in_any_weight_is_found(self):
        ours = make(s3rec_pretrain, seed=1)
        prefixes = draw_prefixes(ours, seed=1)
        expected = expected_losses(ours, prefixes)
        missed = [
            name
            for name in perturbed(ours)
            if deviation(losses(ours, prefixes), expected) <= TOLERANCE
        ]
        assert missed == []


def draw_prefixes(ours, seed):
    """Batches of one prefix, of 1 … 50 items, masked as ours are in training."""
    random = np.random.default_rng(seed)
    offsets = np.arange(USERS + 1) * 60
    items = random.integers(1, ITEMS + 1, offsets[-1])
    items[::60] = ITEMS  # the table has as many rows as the highest id asks for
    data = InteractionData(Sequences(items, offsets, tuple(str(u) for u in range(USERS))))
    context = Context(data, torch.Generator().manual_seed(seed), seed, Stopwatch(data.device))
    ours.start_training(context)
    ours.start_epoch(0, context)
    everything = ours.batch(torch.arange(ours.n_samples(data)), context)
    order = (everything.masked > 0).sum(1).argsort()
    chosen = order[torch.linspace(0, len(order) - 1, PREFIXES).long()]
    columns = {f.name: getattr(everything, f.name)[chosen].split(1) for f in fields(everything)}
    return [
        s3rec_pretrain.PretrainingBatch(**dict(zip(columns, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]


def losses(ours, prefixes):
    """Masked item and segment prediction of each prefix, one per row: (2 PREFIXES, 1).

    A prefix of one item has no segment loss here; RecBole's is the constant log 2.
    """
    terms = [ours.loss(row) for row in prefixes]
    items = [t["item"] for t in terms]
    constants = [0.0 if row.has_segment else math.log(2) for row in prefixes]
    segments = [t["segment"] + c for t, c in zip(terms, constants, strict=True)]
    return torch.stack(items + segments).unsqueeze(1)


def expected_losses(ours, prefixes):
    theirs, values = twin(ours), []
    attributes = torch.zeros(1, FULL, 1)  # of no weight
    for loss in ("mip", "sp"):
        theirs.mip_weight, theirs.sp_weight = float(loss == "mip"), float(loss == "sp")
        for row in prefixes:
            segments = (row.context, row.segment, row.other)
            if not row.has_segment:  # thrice the prefix, one item, which is always masked
                segments = (row.targets,) * 3
            items = (row.masked, row.targets, row.negatives)
            values.append(theirs.pretrain(attributes, *items, *segments))
    return torch.stack(values).unsqueeze(1)
