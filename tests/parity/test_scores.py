"""Scores of all items: RecBole's models with our weights, asked as RecBole asks them."""

import torch
from torch.nn import functional as F

from baselines import bert4rec, bprmf, caser, gru4rec, s3rec, s3rec_pretrain, sasrec
from tests.parity import reference, weights
from tests.parity.comparison import ITEMS, ScoreParity, left_padded, make


class TestBPR(ScoreParity):
    module = bprmf

    def twin(self, ours, real):
        options = {"embedding_size": ours.parameters_used.dimension}
        return reference.build(reference.BPR, ours, options, weights.bpr(ours.state_dict()))


class TestGRU4Rec(ScoreParity):
    module = gru4rec

    def twin(self, ours, real):
        p = ours.parameters_used
        options = {
            "embedding_size": p.dimension,
            "hidden_size": p.hidden,
            "num_layers": 1,
            "dropout_prob": p.dropout,
            "loss_type": "CE",
        }
        return reference.build(reference.GRU4Rec, ours, options, weights.gru4rec(ours.state_dict()))


class TestCaser(ScoreParity):
    """RecBole scores an item by relu(W [z; u] + b)·e, with the item's input vector e; ours, as the
    authors' code, by [z; u]·o + c. The two are one where the ReLU passes everything, o = Wᵀe and
    c = b·e. It does if W, b and u are not negative, as z, itself the output of a ReLU, never is.
    """

    module = caser

    def make(self, seed):
        ours = super().make(seed)
        d = ours.parameters_used.dimension
        self.fc2 = {"fc2.weight": torch.rand(d, 2 * d), "fc2.bias": torch.rand(d)}
        ours.users.weight.abs_()
        ours.output.weight.copy_(ours.items.weight @ self.fc2["fc2.weight"])
        ours.output_bias.weight.copy_(ours.items.weight @ self.fc2["fc2.bias"][:, None])
        return ours

    def windows(self, ours, histories):
        """Padded on the left: RecBole's Caser reads no lengths, its filters meet any padding."""
        return left_padded(histories, ours.max_length), min(histories.shape[1], ours.max_length)

    def twin(self, ours, real):
        p = ours.parameters_used
        options = {
            "embedding_size": p.dimension,
            "nh": p.horizontal_filters,
            "nv": p.vertical_filters,
            "dropout_prob": p.dropout,
            "reg_weight": 0.0,
            "loss_type": "CE",
        }
        state = weights.caser(ours.state_dict()) | self.fc2
        return reference.build(reference.Caser, ours, options, state)


class TestSASRec(ScoreParity):
    module = sasrec

    def twin(self, ours, real):
        state = weights.encoder(ours.state_dict(), real)
        state["item_embedding.weight"] = state["item_embedding.weight"][:-1]  # no mask token
        options = reference.transformer_options(ours.parameters_used)
        return reference.build(reference.SASRec, ours, options, state)


class TestBERT4Rec(ScoreParity):
    module = bert4rec

    def windows(self, ours, histories):
        """One item more, in front: RecBole drops the first of every history, even a short one."""
        recent = histories[:, 1 - ours.max_length :]
        longer = F.pad(recent, (1, 0), value=ITEMS)
        real = longer.shape[1]
        return F.pad(longer, (0, ours.max_length - real)), real

    def twin(self, ours, real):
        p, own = ours.parameters_used, ours.state_dict()
        state = weights.encoder(own, real) | {"output_bias": own["bias"][:-1]}  # not the mask's
        state |= weights.layer(own, "dense", "output_ffn") | weights.layer(own, "norm", "output_ln")
        options = reference.transformer_options(p) | {"mask_ratio": p.mask_ratio}
        return reference.build(reference.BERT4Rec, ours, options, state)


class TestS3Rec(ScoreParity):
    """Second stage; both start from a first one with the same weights."""

    module = s3rec

    def make(self, seed):
        ours = super().make(seed)
        ours.load_start(make(s3rec_pretrain, seed + 10).state_dict())
        return ours

    def twin(self, ours, real):
        options = reference.s3rec_options(ours.parameters_used)
        state = weights.s3rec(ours.state_dict(), real)
        pretrained = reference.build_s3rec(ours, options, state)
        return reference.finetuned_s3rec(pretrained, ours, options)
