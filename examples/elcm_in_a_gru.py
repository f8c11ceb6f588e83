"""ELCRec's cluster module in somebody else's recommender: a GRU, on made-up data.

Each of 400 users has one of 8 tastes, and a taste is 10 of 80 items. The GRU learns to predict the
next item; together with it, the module learns centers of its users. The cluster loss does not push
centers apart (docs/findings.md), so their start mostly decides how well they separate the tastes.

Run it, in a second: python examples/elcm_in_a_gru.py
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elcrec import ELCM

USERS, TASTES, ITEMS, LENGTH, WIDTH = 400, 8, 80, 12, 32
ALPHA = 0.1  # weight of the cluster loss


class GRURecommender(nn.Module):
    """A next-item recommender that knows nothing about clusters."""

    def __init__(self) -> None:
        super().__init__()
        self.items = nn.Embedding(ITEMS, WIDTH)
        self.gru = nn.GRU(WIDTH, WIDTH, batch_first=True)

    def forward(self, histories: Tensor) -> Tensor:
        """Item numbers (B, L) to states (B, L, d)."""
        states, _ = self.gru(self.items(histories))
        return states

    def loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the next items; scores are inner products."""
        scores = states @ self.items.weight.T  # (B, L, items)
        return F.cross_entropy(scores.flatten(0, 1), targets.flatten())


def make_data() -> tuple[Tensor, Tensor]:
    """Histories (users, L + 1), and the taste of each user."""
    tastes = torch.arange(USERS) % TASTES
    steps = torch.randint(ITEMS // TASTES, (USERS, LENGTH + 1))
    return tastes[:, None] * (ITEMS // TASTES) + steps, tastes


def report(when: str, elcm: ELCM, states: Tensor, tastes: Tensor) -> None:
    """Print how well the centers separate the tastes, which they were never given."""
    intents = elcm.assign(states.mean(1))  # (users,) number of each user's center
    pairs = torch.bincount(intents * TASTES + tastes, minlength=TASTES**2).view(TASTES, TASTES)
    share = pairs.max(1).values.sum() / USERS
    used = intents.unique().numel()
    print(f"{when}: {used} centers in use, {share:.0%} of users have their center's main taste")


def main() -> None:
    """Train both together."""
    torch.manual_seed(0)
    histories, tastes = make_data()
    inputs, targets = histories[:, :-1], histories[:, 1:]
    model, elcm = GRURecommender(), ELCM(WIDTH, clusters=TASTES, fusion="shift")
    with torch.no_grad():
        elcm.start(model(inputs).mean(1), by="random")  # "kmeans", with faiss, is the paper's start
    report("before training", elcm, model(inputs), tastes)
    optimiser = torch.optim.Adam([*model.parameters(), *elcm.parameters()], lr=1e-2)

    for epoch in range(1, 11):
        total = {"task": 0.0, "cluster": 0.0}
        for batch in torch.randperm(USERS).split(100):
            states = model(inputs[batch])  # (B, L, d)
            users = states.mean(1)  # (B, d), one vector for each user
            fused = elcm.fuse(states)  # before the losses: they normalise the centers
            task = model.loss(fused, targets[batch])
            losses = elcm(users)
            optimiser.zero_grad()
            (task + ALPHA * losses["cluster"]).backward()
            optimiser.step()
            total["task"] += task.item() / 4
            total["cluster"] += losses["cluster"].item() / 4
        print(f"epoch {epoch:2d}  task {total['task']:.3f}  cluster {total['cluster']:+.3f}")

    report("after training", elcm, model(inputs), tastes)


if __name__ == "__main__":
    main()
