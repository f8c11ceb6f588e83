"""Train a model on the interactions of the training period, and predict those of the test period.

The loss is the sum of the tasks' cross-entropies, and for B + ELCM alpha times the cluster loss.
The epoch with the best mean AUC on the validation period is kept, one epoch for all tasks.
"""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from elcrec.config.industrial import Network
from elcrec.errors import InputError
from elcrec.industrial.features import Table
from elcrec.industrial.metrics import auc
from elcrec.industrial.mmoe import MMoE, Separate, new_model
from elcrec.training.result import Checkpoints, Result

CHUNK = 65536
"""Rows that are predicted at a time."""


class Training:
    """A training that can be interrupted: on a CPU its final numbers are the same, bit for bit."""

    def __init__(
        self, table: Table, network: Network, model: str, seed: int, device: torch.device
    ) -> None:
        """Make the model and put the features on the device.

        Raises:
            InputError: Fewer users with a history than clusters.
        """
        self.table, self.network, self.seed, self.device = table, network, seed, device
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.model: MMoE | Separate = new_model(table, network, model).to(device)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=network.learning_rate)
        features = (table.user_codes, table.user_numbers, table.codes, table.numbers)
        states = (table.state_codes, table.state_numbers)
        self.rows, self.states = self._tensors(*features), self._tensors(*states)
        known = table.activity > 0
        self.labels, self.known = self._tensors(table.labels, known)
        self.result = Result()
        if self.model.elcm and known.sum() < network.clusters:
            raise InputError(
                f"industrial.network.clusters is {network.clusters}; allowed: at most the "
                f"{known.sum()} users with an interaction in the training period"
            )

    def run(self, checkpoints: Checkpoints | None = None) -> tuple[Result, dict[str, NDArray[Any]]]:
        """Train, and predict with the weights of the best epoch.

        Args:
            checkpoints: Where to resume from, and where to save progress.

        Returns:
            The result, with a row for each epoch (epoch, loss, pull and push of a cluster loss,
            validation AUC); and `probabilities` (test rows, tasks) and, for a model with clusters,
            `clusters` (users,).

        Raises:
            InputError: No epoch has finite losses.
        """
        if checkpoints and (state := checkpoints.load()):
            self._resume(state)
        found = self.result
        begin = time.perf_counter() - found.seconds.get("total", 0.0)
        while not self._is_over():
            losses = self._epoch()
            labels = self.table.labels[self.table.rows("valid")]
            pairs = zip(labels.T, self._predict("valid").T, strict=True)
            losses["valid_auc"] = float(np.mean([auc(*pair) for pair in pairs]))
            found.history.append({"epoch": len(found.history) + 1.0, **losses})
            if losses["valid_auc"] > max((r["valid_auc"] for r in found.history[:-1]), default=0.0):
                found.best_epoch = len(found.history)
                found.weights = {k: v.clone() for k, v in self.model.state_dict().items()}
            found.seconds["total"] = time.perf_counter() - begin
            if checkpoints and checkpoints.due():
                checkpoints.save(len(found.history), self._state())
        if not found.weights:
            raise InputError(
                "industrial.network.learning_rate: no epoch has finite losses; lower it"
            )
        self.model.load_state_dict(found.weights)
        arrays: dict[str, NDArray[Any]] = {"probabilities": self._predict("test")}
        if self.model.elcm:
            clusters = self.model.elcm.assign(self._user_vectors())
            arrays["clusters"] = clusters.cpu().numpy().astype(np.int16)
        return found, arrays

    def _is_over(self) -> bool:
        epochs, patience = len(self.result.history), self.network.patience
        waited = epochs - self.result.best_epoch
        return epochs >= self.network.max_epochs or bool(patience and waited >= patience)

    def _epoch(self) -> dict[str, float]:
        """One pass in random order; returns the mean losses."""
        elcm, epoch = self.model.elcm, len(self.result.history)
        learned = bool(elcm and elcm.centers.requires_grad)
        if elcm and not (learned and epoch):  # k-means before every epoch, ELCM before the first
            elcm.start(self._user_vectors()[self.known], seed=self.seed)
        rows = torch.from_numpy(self.table.rows("train"))
        order = rows[torch.randperm(len(rows), generator=self.generator)]
        batches = order.to(self.device).split(self.network.batch_size)
        steps = [self._step(batch, learned) for batch in batches]
        if elcm:
            elcm.normalise()  # every step and every prediction sees them normalised
        # Read once an epoch: a step must not wait for the device.
        losses = {name: torch.stack([step[name] for step in steps]).tolist() for name in steps[0]}
        return {name: sum(values) / len(steps) for name, values in losses.items()}

    def _step(self, batch: Tensor, learned: bool) -> dict[str, Tensor]:
        logits, users = self.model(*self._at(batch))
        of_tasks = F.binary_cross_entropy_with_logits(logits, self.labels[batch], reduction="none")
        losses = {"loss": of_tasks.mean(0).sum()}
        total = losses["loss"]
        if learned and self.model.elcm:
            parts = self.model.elcm(users)
            losses |= {name: parts[name] for name in ("pull", "push")}
            total = total + self.network.alpha * parts["cluster"]
        self.optimiser.zero_grad()
        total.backward()
        self.optimiser.step()
        return {name: value.detach() for name, value in losses.items()}

    @torch.no_grad()
    def _predict(self, split: str) -> NDArray[np.float32]:
        """Probabilities: (rows of the split, tasks)."""
        parts = torch.from_numpy(self.table.rows(split)).to(self.device).split(CHUNK)
        found = torch.cat([self.model(*self._at(part))[0].sigmoid() for part in parts])
        return np.asarray(found.cpu().numpy())

    @torch.no_grad()
    def _user_vectors(self) -> Tensor:
        """All users at the end of the training period: (U, d)."""
        assert isinstance(self.model, MMoE)
        return self.model.users(*self.states)

    def _at(self, rows: Tensor) -> list[Tensor]:
        return [features[rows] for features in self.rows]

    def _tensors(self, *arrays: NDArray[Any]) -> list[Tensor]:
        return [torch.from_numpy(array).to(self.device) for array in arrays]

    def _state(self) -> dict[str, Any]:
        parts = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        return parts | {"generator": self.generator.get_state(), "result": vars(self.result)}

    def _resume(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.result = Result(**state["result"])
