"""ELCRec (Liu et al., NeurIPS 2024) as a reproducible benchmark, and as a library.

The package by itself imports nothing heavy: `ELCM` and `load` are there when they are first used.
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
"""Where workflow/, docs/ and results/recorded/ lie: the checkout, or what a wheel has of it."""

_LAZY = {"ELCM": "elcrec.models.elcm", "load": "elcrec.inference.recommender"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'elcrec' has no attribute '{name}'")
