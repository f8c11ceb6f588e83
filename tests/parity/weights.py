"""Our weights under RecBole's names and in its shapes."""

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]

ENCODER_NAMES = {  # parts of names, ours to RecBole's, applied in this order
    "encoder.blocks.": "trm_encoder.layer.",
    "encoder.items.": "item_embedding.",
    "encoder.positions.": "position_embedding.",
    "encoder.norm.": "LayerNorm.",
    ".attention.output.": ".multi_head_attention.dense.",
    ".attention.norm.": ".multi_head_attention.LayerNorm.",
    ".feed_forward.expand.": ".feed_forward.dense_1.",
    ".feed_forward.contract.": ".feed_forward.dense_2.",
    ".feed_forward.norm.": ".feed_forward.LayerNorm.",
}
PROJECTION = ".attention.projection."


def encoder(state: State, real: int) -> State:
    """The shared encoder, for windows of `real` items (mask token included).

    Our last item always has the last position; RecBole counts positions from the first item, so
    that its position j is our L - real + j. The rows behind, of its padding, are read by nothing.
    """
    renamed: State = {}
    for name, value in state.items():
        if not name.startswith("encoder."):
            continue
        for mine, its in ENCODER_NAMES.items():
            name = name.replace(mine, its)
        if PROJECTION in name:
            block, kind = name.split(PROJECTION)
            for part, rows in zip(("query", "key", "value"), value.chunk(3), strict=True):
                renamed[f"{block}.multi_head_attention.{part}.{kind}"] = rows
        else:
            renamed[name] = value
    positions = renamed["position_embedding.weight"]
    renamed["position_embedding.weight"] = positions.roll(real - len(positions), 0)
    return renamed


def layer(state: State, mine: str, its: str) -> State:
    """The parameters of one layer under another name."""
    return {its + k.removeprefix(mine): v for k, v in state.items() if k.startswith(f"{mine}.")}


def with_padding(table: Tensor) -> Tensor:
    """A table whose ids start from 1: row 0 in front."""
    return F.pad(table, (0, 0, 1, 0))


def bpr(state: State) -> State:
    return {
        "user_embedding.weight": with_padding(state["users.weight"]),
        "item_embedding.weight": with_padding(state["items.weight"]),
    }


def gru4rec(state: State) -> State:
    pairs = (("items", "item_embedding"), ("gru", "gru_layers"), ("dense", "dense"))
    return {k: v for mine, its in pairs for k, v in layer(state, mine, its).items()}


def caser(state: State) -> State:
    """All but RecBole's last layer, `fc2`, for which ours has another output table."""
    renamed = layer(state, "items", "item_embedding") | layer(state, "dense", "fc1")
    renamed["user_embedding.weight"] = with_padding(state["users.weight"])
    renamed["conv_v.weight"] = state["vertical.weight"][:, None, :, None]  # (V, 1, L, 1)
    renamed["conv_v.bias"] = state["vertical.bias"]
    for name, value in layer(state, "horizontal", "conv_h").items():
        kernel = name.endswith("weight")  # (H, d, height) to (H, 1, height, d)
        renamed[name] = value.transpose(1, 2).unsqueeze(1) if kernel else value
    return renamed


def s3rec(state: State, real: int) -> State:
    """Encoder and both projections; zeros for those that the second stage has not got."""
    renamed = encoder(state, real)
    d = renamed["LayerNorm.weight"].shape[0]
    for mine, its in (("item_projection", "mip_norm"), ("segment_projection", "sp_norm")):
        unread = {f"{its}.weight": torch.zeros(d, d), f"{its}.bias": torch.zeros(d)}
        renamed |= unread | layer(state, mine, its)
    return renamed
