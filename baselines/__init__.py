"""The baselines of the benchmark, one module each; every module defines `Model`."""
