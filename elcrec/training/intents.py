"""What a model's intents look like while it trains: numbers per epoch, and snapshots for figures.

Only models with intents take part (`SequenceModel.intents`). Nothing here touches a generator of
random numbers or the gradients, so it changes no result.
"""

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from elcrec.data.histories import InteractionData
from elcrec.models.interface import Intents, SequenceModel

SAMPLE = 2000
"""Number of users whose vectors are examined; the same users in every run on a data set."""


class IntentRecorder:
    """Collects the rows and snapshots of one training."""

    def __init__(
        self, model: SequenceModel, data: InteractionData, epochs: Collection[int] = ()
    ) -> None:
        """Choose the users.

        Args:
            model: Any model; nothing is recorded for one without intents.
            data: The histories.
            epochs: After which epochs to take snapshots; 0 is before the first step.
        """
        self.model = model
        self.data = data
        self.epochs = frozenset(epochs)
        generator = np.random.default_rng(0)
        count = min(SAMPLE, data.n_users)
        self.users = np.sort(generator.choice(data.n_users, count, replace=False))
        self._device_users = data.tensor(self.users)
        self.snapshots: dict[int, dict[str, Tensor]] = {}

    def row(self, epoch: int) -> dict[str, float]:
        """Diagnostics after an epoch, for the history; also takes a snapshot if one is due."""
        found = self.model.intents(self.data, self._device_users)
        if found is None:
            return {}
        if epoch in self.epochs:
            self.snapshots[epoch] = _snapshot(found)
        return diagnose(found)

    def before_training(self) -> None:
        """Take the snapshot of epoch 0, if one is due."""
        if 0 in self.epochs:
            self.row(0)

    def finish(self, best_epoch: int) -> dict[str, np.ndarray]:
        """Content of `intents.npz`, with the model as it was tested; empty without intents.

        For S snapshots, of which the last is that of the best epoch: `epochs` (S,), `users` (n,),
        `embeddings` (S, n, d), `assigned` (S, n) and `centers` (S, K, d), filled up with zeros in
        epochs with fewer. `all_assigned` (users,): the center of every user in the best epoch.
        """
        everyone = torch.arange(self.data.n_users, device=self.data.device)
        found = self.model.intents(self.data, everyone) if self.epochs else None
        if found is None:
            return {}
        rows = self._device_users
        sampled = Intents(found.users[rows], found.centers, found.assigned[rows], found.learned)
        taken = [*sorted(self.snapshots.items()), (best_epoch, _snapshot(sampled))]
        return {
            "epochs": np.array([epoch for epoch, _ in taken]),
            "users": self.users,
            **{
                name: pad_sequence([shot[name] for _, shot in taken], batch_first=True).numpy()
                for name in ("embeddings", "assigned", "centers")
            },
            "all_assigned": found.assigned.cpu().numpy(),
        }


def diagnose(intents: Intents) -> dict[str, float]:
    """Numbers of a history row: `intents_in_use`, `center_cosine`, `user_cosine`.

    Cosines are means over all pairs of different vectors. For learned centers also the cluster loss
    of the users, once pair by pair (`cluster_direct`) and once by the identity that holds for
    vectors of unit length, 2 |m|² - 2 b·m with b the mean user and m the mean center
    (`cluster_identity`).
    """
    users, centers = F.normalize(intents.users), intents.centers
    numbers = {
        "intents_in_use": intents.assigned.unique().numel() * torch.ones(()),
        "center_cosine": mean_cosine(centers),
        "user_cosine": mean_cosine(users),
    }
    if intents.learned:
        mean = centers.mean(0)
        apart = torch.cdist(centers, centers, compute_mode="donot_use_mm_for_euclid_dist")
        away = torch.cdist(users, centers, compute_mode="donot_use_mm_for_euclid_dist")
        numbers["cluster_direct"] = away.square().mean() - apart.square().mean()
        numbers["cluster_identity"] = 2 * mean @ mean - 2 * users.mean(0) @ mean
    values = torch.stack([value.to(users) for value in numbers.values()]).tolist()
    return dict(zip(numbers, values, strict=True))


def mean_cosine(vectors: Tensor) -> Tensor:
    """Mean cosine of all pairs of different rows of (n, d) vectors of unit length: a scalar."""
    count = len(vectors)
    if count < 2:
        return vectors.new_tensor(torch.nan)
    return (vectors.sum(0).square().sum() - count) / (count * (count - 1))


def _snapshot(intents: Intents) -> dict[str, Tensor]:
    found = {"embeddings": intents.users, "assigned": intents.assigned, "centers": intents.centers}
    return {name: tensor.to("cpu", copy=True) for name, tensor in found.items()}
