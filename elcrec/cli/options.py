"""Options that several commands share."""

from __future__ import annotations

import argparse


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config FILE …`: may be given repeatedly, all files are kept in order."""
    parser.add_argument(
        "--config",
        nargs="*",
        action="extend",
        default=[],
        metavar="FILE",
        help="merged into the default config",
    )


def add_kernels(parser: argparse.ArgumentParser) -> None:
    """Add `--kernels`."""
    parser.add_argument(
        "--kernels",
        choices=("plain", "native"),
        help="native: Transformers compiled for the CPU, needs g++ (default: of the config)",
    )


def add_time_limit(parser: argparse.ArgumentParser) -> None:
    """Add `--time-limit MINUTES`."""
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="MINUTES",
        help="stop at a checkpoint before; the same command goes on (exit status 75)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add `--device`."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
