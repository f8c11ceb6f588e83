"""Figures as the page shows them: the image itself, its words, and the numbers behind it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from elcrec.config.figures import KINDS
from elcrec.files.jsonfile import JsonObject
from elcrec.report.evidence import Evidence

ORDER = tuple(KINDS)
"""Kinds of figures in the order of the page."""
MOST_LINES = 200  # of numbers shown on the page; the file has them all


@dataclass(frozen=True)
class Image:
    """A figure on the page."""

    name: str
    title: str
    caption: str
    alt: str
    source: str
    """The PNG as a data URI."""
    numbers: str
    """Its CSV, cut to `MOST_LINES` lines; empty without one."""
    cut: int
    """How many lines are not shown."""


def images(evidence: Evidence) -> list[Image]:
    """All figures of the output folder, in the order of the page.

    Raises:
        InputError: A figure without its words, or whose words lack a key.
    """
    found = sorted((evidence.output / "figures").glob("*.png"), key=lambda p: (_place(p.stem), p))
    return [_image(path) for path in found]


def _place(name: str) -> int:
    kind = name.split("-")[0]
    return ORDER.index(kind) if kind in ORDER else len(ORDER)


def _image(path: Path) -> Image:
    words = JsonObject.read(path.with_suffix(".json"))
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    csv = path.with_suffix(".csv")
    lines = csv.read_text(encoding="utf-8").splitlines() if csv.is_file() else []
    return Image(
        name=path.stem,
        title=words.text("title"),
        caption=words.text("caption"),
        alt=words.text("alt"),
        source=f"data:image/png;base64,{data}",
        numbers="\n".join(lines[:MOST_LINES]),
        cut=max(0, len(lines) - MOST_LINES),
    )
