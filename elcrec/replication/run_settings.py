"""`config.yaml` of a run folder: the settings that the run was made with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elcrec.errors import InputError
from elcrec.yamlfile import read_yaml


@dataclass(frozen=True)
class MadeWith:
    """Settings of a finished run."""

    parameters: dict[str, Any]
    training: dict[str, Any]
    precision: str


def read_settings(folder: Path) -> MadeWith:
    """Read the settings of the run in `folder`.

    Raises:
        InputError: The file is missing or no YAML, or lacks a section.
    """
    path = folder / "config.yaml"
    content = read_yaml(path)
    for section in ("parameters", "training"):
        if not isinstance(content.get(section), dict):
            raise InputError(f"{path}: {section}: must be a mapping of settings to values")
    precision = content.get("precision", "float32")
    if not isinstance(precision, str):
        raise InputError(f"{path}: precision: must be a text")
    return MadeWith(content["parameters"], content["training"], precision)
