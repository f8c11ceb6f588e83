"""Figures of the paper and of the models' inner life, drawn from run folders alone."""
