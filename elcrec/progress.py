"""What a person sees of a training: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

from tqdm import tqdm

from elcrec.metrics import METRICS


class Progress:
    """A bar over epochs with loss, validation metric and epoch time; tqdm adds the time left."""

    def __init__(self, title: str, max_epochs: int, metric: str, quiet: bool = False) -> None:
        self.metric = metric if metric in METRICS else METRICS[-1]
        self.best = 0.0
        hidden = quiet or not sys.stderr.isatty()
        self.bar = tqdm(total=max_epochs, desc=title, unit="epoch", disable=hidden)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.close()

    def __call__(self, row: dict[str, float]) -> None:
        """Show one epoch's history row."""
        self.best = max(self.best, row[self.metric])
        seconds = sum(v for k, v in row.items() if k.startswith("seconds_"))
        shown = {self.metric: f"{row[self.metric]:.4f}", "best": f"{self.best:.4f}"}
        if "loss_total" in row:
            shown = {"loss": f"{row['loss_total']:.4f}"} | shown
        self.bar.set_postfix(shown | {"epoch": f"{seconds:.1f}s"}, refresh=False)
        self.bar.update()
