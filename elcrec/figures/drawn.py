"""What a figure consists of, how it is drawn and written, and words that captions share."""

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.figures.plan import plan
from elcrec.figures.style import look
from elcrec.files.atomic import replaced, write_json
from elcrec.files.words import listed, rendered
from elcrec.runs.plan import single_seed
from elcrec.runs.reading import Found, Runs
from elcrec.runs.record import RunRecord
from elcrec.runs.snapshots import Snapshots, snapshots

WORDS = Path(__file__).parent / "templates" / "captions.yaml"
DPI = 200
# No date, so that the same input gives the same bytes.
METADATA = {"png": {"Software": None}, "pdf": {"CreationDate": None, "ModDate": None}}


@dataclass(frozen=True)
class Drawn:
    """A finished figure."""

    figure: Figure
    numbers: pd.DataFrame
    """What is drawn, one value or point in a row."""
    title: str
    caption: str
    """What is shown, of which runs, and what to take into account."""
    alt: str
    """The same for readers who cannot see it: kind of figure, axes, what stands out."""


def drawn(kind: str, figure: Figure, numbers: pd.DataFrame, **variables: Any) -> Drawn:
    """A figure with the texts of its kind in `templates/captions.yaml`, from their `variables`."""
    texts = (rendered(WORDS, kind, part, variables) for part in ("title", "caption", "alt"))
    return Drawn(figure, numbers, *texts)


def write(drawn: Drawn, folder: Path, name: str) -> None:
    """Write `<name>.png`, `.pdf`, `.csv` and `.json` into `folder`; the JSON comes last."""
    with look():
        for kind, metadata in METADATA.items():
            with replaced(folder / f"{name}.{kind}") as path:
                drawn.figure.savefig(path, format=kind, dpi=DPI, metadata=metadata)
    with replaced(folder / f"{name}.csv") as path:
        drawn.numbers.to_csv(path, index=False, float_format="%.8g")
    texts = {"title": drawn.title, "caption": drawn.caption, "alt": drawn.alt}
    write_json(folder / f"{name}.json", texts)


def make(
    config: Config, kind: str, folder: Path, dataset: str | None = None, any_code: bool = False
) -> None:
    """Draw one kind of figure, for every data set unless one is named.

    Raises:
        InputError: A configuration or run folder is not valid, or the figure is not part of the
            configuration.
    """
    if dataset:
        config.dataset(dataset)
    figures = [f for f in plan(config, [kind]) if dataset in (None, f.dataset)]
    if not figures:
        names = ", ".join(figure.name for figure in plan(config)) or "none"
        raise InputError(f"figure {kind}: is not in this configuration, which has: {names}")
    draw = importlib.import_module(f"elcrec.figures.{kind}").draw
    runs = Runs(config, "take" if any_code else "refuse")
    for figure in figures:
        with look():
            drawing = draw(runs, figure.dataset) if figure.dataset else draw(runs)
        write(drawing, folder, figure.name)
        print(f"{drawing.title} -> {folder / figure.name}.png")


def seeds_of(records: Sequence[RunRecord]) -> str:
    """The seeds of some runs as a sentence."""
    seeds = [str(seed) for seed in sorted({record.seed for record in records})]
    return f"Seed{'s' * (len(seeds) > 1)} {listed(seeds, 99)}." if seeds else "No run yet."


def gaps(missing: Iterable[str]) -> str:
    """What is missing, as a sentence; empty if nothing is."""
    names = "; ".join(dict.fromkeys(missing))
    return f" Not run: {names}." if names else ""


def name_of(config: Config, model: str, dataset: str) -> str:
    """`ELCRec on Beauty`."""
    return f"{config.model_name(model)} on {config.dataset_name(dataset)}"


def which_runs(config: Config, groups: Found) -> str:
    """The seeds that a figure shows, and the models of which it shows none."""
    missing = [name_of(config, m, d) for (d, m), records in groups.items() if not records]
    return seeds_of([r for records in groups.values() for r in records]) + gaps(missing)


def of_each_run(
    config: Config, numbers: pd.DataFrame, describe: Callable[[pd.DataFrame], str]
) -> list[str]:
    """What `describe` makes of the rows of each model on each data set, after their names."""
    return [
        f"{name_of(config, str(model), str(dataset))} {describe(rows)}"
        for (dataset, model), rows in numbers.groupby(["dataset", "model"], sort=False)
    ]


class Single(NamedTuple):
    """A run and what it recorded of intents."""

    name: str
    """Model and data set."""
    seed: int
    record: RunRecord | None
    """None: not run."""
    found: Snapshots | None

    @property
    def missing(self) -> str:
        """Why there are no intents to show; empty if there are."""
        return "" if self.found else "not recorded" if self.record else "not run"


def single(runs: Runs, dataset: str) -> Single:
    """The run of the model `intents_of` on a data set."""
    model, seed = runs.config.figures.intents_of, single_seed(runs.config)
    record = runs.run(dataset, model, seed)
    intents = snapshots(record) if record else None
    return Single(name_of(runs.config, model, dataset), seed, record, intents)
