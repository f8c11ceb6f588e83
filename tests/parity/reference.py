"""RecBole's models, built without its configuration files, data sets and trainer.

Its constructors read a configuration by keys and ask a data set for counts: a dictionary and
`Counts` are enough for both. Row 0 of every table of RecBole's is padding, users' included.
"""

import io
from typing import Any

import pytest
import torch
from torch import nn

from elcrec.models.encoder import INITIAL_STD, LAYER_NORM_EPSILON, EncoderSettings
from elcrec.models.interface import SequenceModel
from tests.parity.weights import State

try:
    from recbole.model.general_recommender.bpr import BPR
    from recbole.model.sequential_recommender.bert4rec import BERT4Rec
    from recbole.model.sequential_recommender.caser import Caser
    from recbole.model.sequential_recommender.gru4rec import GRU4Rec
    from recbole.model.sequential_recommender.s3rec import S3Rec
    from recbole.model.sequential_recommender.sasrec import SASRec
except ModuleNotFoundError as error:
    if error.name != "recbole":
        raise  # RecBole is here, but not all that it needs
    pytest.skip("RecBole is not installed: `make test-parity` does", allow_module_level=True)

__all__ = ["BPR", "BERT4Rec", "Caser", "GRU4Rec", "S3Rec", "SASRec"]

USER, HISTORY, HISTORY_LENGTH = "user", "item_list", "item_length"  # keys of what a model is given
FIELDS = {
    "USER_ID_FIELD": USER,
    "ITEM_ID_FIELD": "item",
    "LIST_SUFFIX": "_list",
    "ITEM_LIST_LENGTH_FIELD": HISTORY_LENGTH,
    "NEG_PREFIX": "negative_",
    "device": "cpu",
}
TRAINING_FIELDS = ("MASK_ITEM_SEQ", "POS_ITEMS", "NEG_ITEMS", "MASK_INDEX")  # of BERT4Rec
ATTRIBUTE = "class"
ATTRIBUTE_LAYERS = ("feature_embedding.", "aap_norm.", "map_norm.")  # of S3Rec, not in ours


class Counts:
    """Stands in for RecBole's data set."""

    def __init__(self, model: SequenceModel) -> None:
        self.user_num = model.n_users + 1
        self.item_num = model.item_size - 1  # padding and items; the mask token is not counted

    def num(self, field: str) -> int:
        return {USER: self.user_num, "item": self.item_num, ATTRIBUTE: 2}[field]

    def get_item_feature(self) -> None:
        """Attributes of the items: read by S3Rec when it draws its batches, which ours do here."""


def build(
    reference: type[nn.Module], ours: SequenceModel, options: dict[str, Any], state: State
) -> nn.Module:
    """RecBole's model of the size of `ours` with the weights `state`, all of them."""
    theirs = _construct(reference, ours, options)
    theirs.load_state_dict(state)
    return theirs.eval()


def build_s3rec(ours: SequenceModel, options: dict[str, Any], state: State) -> nn.Module:
    """S3Rec's first stage; its layers for attributes stay random."""
    theirs = _construct(S3Rec, ours, options | {"train_stage": "pretrain", "pre_model_path": ""})
    layers = {k: v for k, v in theirs.state_dict().items() if k.startswith(ATTRIBUTE_LAYERS)}
    theirs.load_state_dict(layers | state)
    return theirs.eval()


def finetuned_s3rec(pretrained: nn.Module, ours: SequenceModel, options: dict[str, Any]) -> Any:
    """S3Rec's second stage, which reads the first from a file (here in memory)."""
    file = io.BytesIO()
    torch.save({"state_dict": pretrained.state_dict()}, file)
    file.seek(0)
    options = options | {"train_stage": "finetune", "pre_model_path": file}
    return _construct(S3Rec, ours, options).eval()


def transformer_options(p: EncoderSettings) -> dict[str, Any]:
    """Our encoder in RecBole's words, which SASRec, BERT4Rec and S3Rec share."""
    return {
        "n_layers": p.blocks,
        "n_heads": p.heads,
        "hidden_size": p.dimension,
        "inner_size": 4 * p.dimension,
        "hidden_dropout_prob": p.hidden_dropout,
        "attn_dropout_prob": p.attention_dropout,
        "hidden_act": "gelu",
        "layer_norm_eps": LAYER_NORM_EPSILON,
        "initializer_range": INITIAL_STD,
        "loss_type": "CE",  # that of training
    }


def s3rec_options(p: EncoderSettings) -> dict[str, Any]:
    """As `transformer_options`; no attributes, and losses by name (`mip_weight`, `sp_weight`)."""
    weights = {f"{loss}_weight": 0.0 for loss in ("aap", "mip", "map", "sp")}
    own = {"item_attribute": ATTRIBUTE, "mask_ratio": 0.2}
    return transformer_options(p) | own | weights


def _construct(reference: type[nn.Module], ours: SequenceModel, options: dict[str, Any]) -> Any:
    config = FIELDS | dict.fromkeys(TRAINING_FIELDS, "unused")
    config |= {"MAX_ITEM_LIST_LENGTH": ours.max_length} | options
    return reference(config, Counts(ours))
