"""Figures of the paper and diagnostics of the models, drawn from run folders and tables."""
