"""This project's code against figures and weights of the authors' code."""
