"""Comparison of this project's code with numbers and weights of the authors' code."""
