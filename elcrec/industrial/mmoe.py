"""Multi-gate mixture of experts (MMoE), with user clusters in its gates or without.

Source: Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate
Mixture-of-Experts" (KDD 2018), Eq. 5 to 7: each task has a softmax gate that mixes the outputs of
shared experts, and a tower on the mixture. The paper of ELCRec (section 5) puts its cluster module
into such a network, which the authors' code lacks. So the way it is built in is ours: a user vector
is a linear map of the user's features, all networks see it in their place, and in B + k-means and
B + ELCM the gates also see the assigned center. The models differ in the clusters alone.
"""

import torch
from torch import Tensor, nn

from elcrec.config.industrial import CLUSTERED, Network
from elcrec.industrial.features import Table
from elcrec.models.elcm import ELCM


class Columns(nn.Module):
    """Embeddings of the categories beside the numbers."""

    def __init__(self, sizes: list[int], numbers: int, length: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, length) for size in sizes)
        self.width = len(sizes) * length + numbers

    def forward(self, codes: Tensor, numbers: Tensor) -> Tensor:
        """(B, F) codes and (B, G) numbers to (B, width)."""
        embedded = [each(codes[:, place]) for place, each in enumerate(self.embeddings)]
        return torch.cat([*embedded, numbers], dim=1)


class MMoE(nn.Module):
    """The network; one task with one expert, whose gate is always 1, is a plain one.

    The features of B interactions are codes (B, F) and numbers (B, G) of the users, then those of
    item and context.
    """

    def __init__(self, table: Table, tasks: int, network: Network, model: str) -> None:
        """Make the network.

        Args:
            table: Defines the sizes of the features.
            tasks: Number of outputs.
            network: Widths.
            model: A key of `MODELS`; `single` has one expert with the units of all.
        """
        super().__init__()
        single = model == "single"
        self.experts_count = 1 if single else network.experts
        width = network.expert_width * (network.experts if single else 1)
        of_user = table.user_sizes.tolist(), table.user_numbers.shape[1]
        self.user_columns = Columns(*of_user, network.embedding)
        self.columns = Columns(table.sizes.tolist(), table.numbers.shape[1], network.embedding)
        known = self.user_columns.width  # 0 where users are unknown
        self.user = nn.Linear(known, network.user_width) if known else nn.Identity()
        inputs = self.columns.width + (network.user_width if known else 0)
        self.elcm: ELCM | None = None
        if model in CLUSTERED:
            self.elcm = ELCM(network.user_width, network.clusters, "concat")
            self.elcm.centers.requires_grad_(model == "mmoe_elcm")
        gated = inputs + (network.user_width if self.elcm else 0)
        self.experts = nn.Linear(inputs, self.experts_count * width)
        self.gates = nn.Linear(gated, tasks * self.experts_count, bias=False)
        self.towers = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, network.tower_width), nn.ReLU(), nn.Linear(network.tower_width, 1)
            )
            for _ in range(tasks)
        )

    def users(self, codes: Tensor, numbers: Tensor) -> Tensor:
        """User vectors: (B, d)."""
        vectors: Tensor = self.user(self.user_columns(codes, numbers))
        return vectors

    def forward(
        self, user_codes: Tensor, user_numbers: Tensor, codes: Tensor, numbers: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits (B, tasks), and the user vectors (B, d) that they were made with."""
        users, others = self.users(user_codes, user_numbers), self.columns(codes, numbers)
        inputs = torch.cat([users, others], dim=1)
        gated = torch.cat([self.elcm.fuse(users), others], dim=1) if self.elcm else inputs
        experts = self.experts(inputs).relu().unflatten(1, (self.experts_count, -1))  # (B, E, W)
        gates = self.gates(gated).unflatten(1, (-1, self.experts_count)).softmax(2)  # (B, T, E)
        mixed = gates @ experts  # (B, T, W)
        towers = [tower(mixed[:, task]) for task, tower in enumerate(self.towers)]
        return torch.cat(towers, dim=1), users


class Separate(nn.Module):
    """A separate network for each task."""

    elcm = None

    def __init__(self, table: Table, tasks: int, network: Network, model: str) -> None:
        super().__init__()
        self.networks = nn.ModuleList(MMoE(table, 1, network, model) for _ in range(tasks))

    def forward(self, *rows: Tensor) -> tuple[Tensor, Tensor]:
        """As `MMoE.forward`; the user vectors are those of the first task."""
        logits, users = zip(*(network(*rows) for network in self.networks), strict=True)
        return torch.cat(logits, dim=1), users[0]


def new_model(table: Table, network: Network, model: str) -> MMoE | Separate:
    """A model by its key in `MODELS`; the caller has seeded the weights."""
    kind = Separate if model == "single" else MMoE
    return kind(table, len(table.tasks), network, model)
