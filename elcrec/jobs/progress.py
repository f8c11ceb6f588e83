"""Progress of a training, as a person sees it: a bar on a terminal, a line a minute elsewhere."""

import sys
import time
from typing import Self

from tqdm import tqdm

from elcrec.config.config import Config
from elcrec.evaluation.metrics import METRICS
from elcrec.jobs.run import Run
from elcrec.training.settings import TrainingSettings

SECONDS_BETWEEN_LINES = 60.0


def title(run: Run, config: Config) -> str:
    """Name of a run for a person: `ELCRec Beauty seed 1`."""
    return f"{run.settings.name} {config.dataset_name(run.dataset)} seed {run.seed}"


class Bar:
    """A bar; where standard error is not a terminal (a workflow log), a line now and then."""

    def __init__(
        self, title: str, total: int, unit: str, quiet: bool = False, bar: bool = True
    ) -> None:
        self.title = title
        terminal = bar and sys.stderr is not None and sys.stderr.isatty()
        self.lines = not quiet and not terminal
        self.last_line = time.monotonic()
        self.bar = tqdm(total=total, desc=title, unit=unit, disable=quiet or not terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def to(self, done: int, text: str) -> None:
        """Advance to `done`; `text` is the text of the line."""
        self.bar.update(done - self.bar.n)
        if self.lines and time.monotonic() - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = time.monotonic()
            print(f"{self.title}: {text}", file=sys.stderr, flush=True)


class Progress(Bar):
    """A bar over epochs with loss, validation metric and epoch time; tqdm adds the time left."""

    def __init__(
        self, title: str, training: TrainingSettings, quiet: bool = False, bar: bool = True
    ) -> None:
        super().__init__(title, training.max_epochs, "epoch", quiet, bar)
        metric = training.select_by
        self.metric = metric if metric in METRICS else METRICS[-1]
        self.best = 0.0
        self.max_epochs = training.max_epochs

    def __call__(self, row: dict[str, float]) -> None:
        """Show one epoch's history row."""
        self.best = max(self.best, row[self.metric])
        seconds = sum(v for k, v in row.items() if k.startswith("seconds_"))
        values = {self.metric: f"{row[self.metric]:.4f}", "best": f"{self.best:.4f}"}
        if "loss_total" in row:
            values = {"loss": f"{row['loss_total']:.4f}"} | values
        values |= {"epoch": f"{seconds:.1f}s"}
        self.bar.set_postfix(values, refresh=False)
        text = ", ".join(f"{key} {value}" for key, value in values.items())
        epoch = f"epoch {row['epoch']:.0f} of at most {self.max_epochs}"
        self.to(int(row["epoch"]), f"{epoch}: {text}")  # a resumed training starts later
