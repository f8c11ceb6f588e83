"""What the models on the shared encoder have in common: next-item loss, scores, encoded views."""

from dataclasses import replace

import torch
from torch import Tensor

from elcrec.data.augmentation import Augmenter
from elcrec.data.histories import InteractionData
from elcrec.models.encoder import EncoderSettings, TransformerEncoder
from elcrec.models.interface import Batch, Context, SequenceModel
from elcrec.models.losses import next_item_loss
from elcrec.models.scores import inner_products

ENCODING_CHUNK = 1024  # users encoded at once outside training: bounds memory


class TransformerModel(SequenceModel):
    """A model whose items are scored by the inner product with the encoder's last output."""

    parameters_used: EncoderSettings

    def __init__(self, parameters: EncoderSettings, n_users: int, item_size: int) -> None:
        super().__init__(parameters, n_users, item_size)
        self.encoder = TransformerEncoder(parameters, item_size)

    def represent(self, users: Tensor, sequences: Tensor) -> Tensor:
        """Take the encoder's last output: (B, d)."""
        return self.encoder.last(sequences)

    def score_items(self, represented: Tensor, first: int, last: int) -> Tensor:
        """Inner products with the item table, padding and mask rows included."""
        return inner_products(represented, self.encoder.items.weight, first, last)

    def next_item(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Next-item loss of the outputs (B, L, d); the item table is input and output table."""
        positive, negative = self.encoder.items(torch.stack([batch.targets, batch.negatives]))
        return next_item_loss(hidden, positive, negative, batch.targets > 0)

    def encode(self, sequences: Tensor) -> Tensor:
        """Encode windows (B, L) for the losses and for pooling: (B, L, d)."""
        encoded: Tensor = self.encoder(sequences)
        return encoded

    def pool(self, hidden: Tensor, sequences: Tensor) -> Tensor:
        """Mean of the outputs (..., L, d) of windows (..., L): (..., d); padding is included."""
        return hidden.mean(-2)

    def batch_with_views(self, samples: Tensor, context: Context, augmenter: Augmenter) -> Batch:
        """Next-item batch of the samples (B,) with two views drawn independently."""
        plain: Batch = super().batch(samples, context)
        views = augmenter.views(samples.repeat(2), context.generator)
        return replace(plain, views=views.view(2, len(samples), -1))

    def encode_with_views(self, batch: Batch, times: int) -> tuple[Tensor, list[Tensor]]:
        """Encode the inputs once and the two views `times` times, in one pass of the encoder.

        Returns:
            The inputs' outputs (B, L, d), and `times` encodings of the views, each (2, B, L, d),
            which differ only in their dropout.
        """
        assert batch.views is not None
        views = batch.views.flatten(0, 1)
        count = len(batch.inputs)
        hidden = self.encode(torch.cat([batch.inputs, *[views] * times]))
        inputs, *encoded = hidden.split([count] + [2 * count] * times)
        return inputs, [e.unflatten(0, (2, count)) for e in encoded]

    @torch.no_grad()
    def pooled_training_users(self, data: InteractionData, users: Tensor | None = None) -> Tensor:
        """Pooled outputs of the users' training inputs: (U, d).

        Dropout is off; the model's mode is restored afterwards. `users` (U,) defaults to all users.
        """
        was_training = self.training
        self.eval()
        if users is None:
            users = torch.arange(data.n_users, device=data.device)
        # One preallocated tensor: small results kept between large freed ones fragment the heap,
        # which doubles the resident memory at a hundred thousand users.
        pooled = self.encoder.items.weight.new_empty(len(users), self.parameters_used.dimension)
        for rows, chunk in zip(
            pooled.split(ENCODING_CHUNK), users.split(ENCODING_CHUNK), strict=True
        ):
            inputs = data.training_inputs(chunk, self.max_length)
            rows.copy_(self.pool(self.encode(inputs), inputs))
        self.train(was_training)
        return pooled
