"""The texts of claims and remarks, `templates/*.yaml`, with their numbers."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elcrec.files import words

FOLDER = Path(__file__).parent / "templates"


def rendered(file: str, key: str, part: str, numbers: Mapping[str, Any]) -> str:
    """A text of `templates/<file>.yaml` as one line; `12%` becomes `12 %`."""
    return re.sub(r"(?<=\d)%", " %", words.rendered(FOLDER / f"{file}.yaml", key, part, numbers))
