"""S3-Rec, second stage: SASRec that starts from pre-trained weights.

Paper: Zhou et al., "S3-Rec: Self-Supervised Learning for Sequential Recommendation with Mutual
Information Maximization", CIKM 2020. Authors' code: github.com/RUCAIBox/CIKM2020-S3Rec (e6c774d).

The first stage is `baselines.s3rec_pretrain`, a separate run with the same data set and seed; its
docstring lists what differs there. Only its encoder weights are used; the two projections are
dropped. Differs from the authors' code in:

1. No attributes in the first stage. The paper's own row without attributes is about half of its
   SASRec row; nothing here is adjusted to match that.
2. Training, negatives and early stopping are those of all models here (`baselines.sasrec`; code:
   200 epochs, stop after 10 without a better MRR).
3. The mask token, an input of the first stage, is not recommended.
"""

from collections.abc import Mapping

from torch import Tensor

from baselines import sasrec
from elcrec.errors import InputError
from elcrec.models.scores import item_products

Hyperparameters = sasrec.Hyperparameters
PREFIX = "encoder."


class Model(sasrec.Model):
    """SASRec whose encoder starts from the weights of the first stage."""

    def load_start(self, state: Mapping[str, Tensor]) -> None:
        """Load the encoder; everything else in `state` is ignored.

        Raises:
            InputError: The encoder in `state` is not this one.
        """
        given = {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
        own = self.encoder.state_dict()
        if given.keys() != own.keys():
            wrong = ", ".join(sorted(given.keys() ^ own.keys())[:3])
            raise InputError(
                f"is not an encoder with {self.parameters_used.blocks} blocks (differs in {wrong})"
            )
        for name, value in own.items():
            if given[name].shape != value.shape:
                raise InputError(
                    f"{PREFIX}{name} is {tuple(given[name].shape)}, needed {tuple(value.shape)}"
                )
        self.encoder.load_state_dict(given)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Inner products with the item table; padding and mask score -inf."""
        return item_products(represented, self.encoder.items.weight, first, last)
