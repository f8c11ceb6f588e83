"""ELCRec (Liu et al., NeurIPS 2024) as a reproducible benchmark."""

__version__ = "0.1.0"
