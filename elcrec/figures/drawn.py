"""What a figure consists of, and how it is written: PNG, PDF, numbers, words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from elcrec.atomic import replaced, write_text
from elcrec.figures.style import look

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
    """The same for who cannot see it: kind of figure, axes, what stands out."""


def write(drawn: Drawn, folder: Path, name: str) -> None:
    """Write `<name>.png`, `.pdf`, `.csv` and `.json` into `folder`; the last one comes last."""
    with look():
        for kind, metadata in METADATA.items():
            with replaced(folder / f"{name}.{kind}") as path:
                drawn.figure.savefig(path, format=kind, dpi=DPI, metadata=metadata)
    with replaced(folder / f"{name}.csv") as path:
        drawn.numbers.to_csv(path, index=False, float_format="%.8g")
    words = {"title": drawn.title, "caption": drawn.caption, "alt": drawn.alt}
    write_text(folder / f"{name}.json", json.dumps(words, indent=2, ensure_ascii=False) + "\n")
