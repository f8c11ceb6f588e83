"""ELCRec (Liu et al., NeurIPS 2024) as a reproducible benchmark, and as a library.

Importing the package loads nothing heavy: `ELCM` and `load` are imported on first use.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elcrec.inference.recommender import load as load
    from elcrec.models.elcm import ELCM as ELCM

__version__ = "0.2.0"
__all__ = ["ELCM", "load"]

_HERE = Path(__file__).resolve().parent
ROOT = _HERE / "shipped" if (_HERE / "shipped").is_dir() else _HERE.parent
"""Folder of workflow/, docs/ and results/recorded/: the checkout, or its copy in a wheel."""

_LAZY = {"ELCM": "elcrec.models.elcm", "load": "elcrec.inference.recommender"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'elcrec' has no attribute '{name}'")
