"""Carrying out runs: training, measuring, trying grid points; the run folder."""
