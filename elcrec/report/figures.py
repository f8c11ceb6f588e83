"""Figures as the page shows them: the image itself, its words, and the numbers behind it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from elcrec.config.figures import KINDS
from elcrec.files.jsonfile import JsonObject

ORDER = tuple(KINDS)
"""Kinds of figures in the order of the page."""
MOST_LINES = 200  # of numbers shown on the page; the file has them all


def images(folder: Path) -> list[dict[str, Any]]:
    """All figures in a folder, in the order of the page.

    `source` is the PNG as a data URI, `numbers` its CSV, of which `cut` lines are not shown.

    Raises:
        InputError: A figure without its words, or whose words lack a key.
    """
    order = {kind: place for place, kind in enumerate(ORDER)}
    paths = sorted(folder.glob("*.png"))
    return [_image(p) for p in sorted(paths, key=lambda p: order.get(p.stem.split("-")[0], 99))]


def _image(path: Path) -> dict[str, Any]:
    words = JsonObject.read(path.with_suffix(".json"))
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    csv = path.with_suffix(".csv")
    lines = csv.read_text(encoding="utf-8").splitlines() if csv.is_file() else []
    return {
        "name": path.stem,
        "source": f"data:image/png;base64,{data}",
        "numbers": "\n".join(lines[:MOST_LINES]),
        "cut": max(0, len(lines) - MOST_LINES),
    } | {key: words.text(key) for key in ("title", "caption", "alt")}
