"""`elcrec bench` as quick as it can be."""

from elcrec.cli.main import main

QUICK = ["--repeats", "2", "--steps", "1", "--threads", "1", "--device", "cpu"]


def bench(config, *extra):
    """Run it on the data set of `tiny`; returns the exit status."""
    return main(["bench", "--dataset", "tiny", "--config", str(config), *QUICK, *extra])
