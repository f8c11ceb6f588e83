"""Compiled kernels that train the shared encoder on the CPU; the same mathematics, faster.

Optional: nothing here is imported or built unless requested. `elcrec/models/encoder.py` is the
reference. Dropout masks differ from those of the plain kernels at the same seed, so runs of the two
kinds differ like runs with different seeds.
"""

from torch import nn

from elcrec.models.encoder import TransformerEncoder
from elcrec.models.native.build import LANES, library, source_hash
from elcrec.models.native.function import encode_if_supported

__all__ = ["source_hash", "use_native"]


def use_native(model: nn.Module) -> int:
    """Let all shared encoders in `model` train with the compiled kernels; returns how many.

    Where they do not apply (evaluation, a GPU, a precision other than float32, a width that is not
    a multiple of 16) the encoders stay plain.

    Raises:
        InputError: No C++ compiler.
    """
    encoders = [m for m in model.modules() if isinstance(m, TransformerEncoder)]
    for encoder in encoders:
        if encoder.items.embedding_dim % LANES == 0:
            library(encoder.items.embedding_dim)
        encoder.kernels = encode_if_supported
    return len(encoders)
