"""Runs carried out: training, measuring, trying; the run folder."""
