"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from elcrec.errors import InputError, brief

if TYPE_CHECKING:
    from elcrec.config.config import Config


class Parser(argparse.ArgumentParser):
    """Reports a usage error in one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        """Raise `InputError`."""
        raise InputError(brief(message.removeprefix("argument ")))

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print at once, so that a full disk is an error: argparse passes over it."""
        print(message, end="", file=file, flush=True)


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], text: str
) -> argparse.ArgumentParser:
    """Add a command with `--config`, which `run` carries out and `text` describes."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    add_config(parser)
    parser.set_defaults(run=run)
    return parser


def file_path(text: str) -> Path:
    """`type` of each option that names a file or folder."""
    from elcrec.files.paths import as_path

    try:
        return as_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _threads(text: str) -> int:
    from elcrec.config.sections import Threads
    from elcrec.files.checked import check
    from elcrec.files.yamlfile import parse

    number: int = check(Threads, parse(text, "--threads"), lambda *keys: "--threads")
    return number


def add_output(parser: argparse.ArgumentParser, text: str, required: bool = False) -> None:
    """Add `--output` and `--force`: see `writing_to`."""
    parser.add_argument("--output", type=file_path, required=required, help=text)
    add_force(parser, "replace existing files, also outside the config's folders")


def add_force(parser: argparse.ArgumentParser, text: str) -> None:
    """Add `--force`."""
    parser.add_argument("--force", action="store_true", help=text)


def check_trained(config: Config, suffix: str = ", got recorded") -> None:
    """Refuse a configuration that reads recorded runs, for a command that is about trained ones.

    Raises:
        InputError: It does; `suffix` ends the message.
    """
    if config.runs == "recorded":
        raise InputError(f"{config.layers.where('runs')}: must be trained{suffix}")


@contextmanager
def writing_to(
    args: argparse.Namespace,
    config: Config,
    *default: str,
    ours: bool = False,
    folder: bool = False,
) -> Iterator[Path]:
    """Where a command writes: the path of `--output`, or else a default in the config's output.

    The path is a file, or with `folder` a folder.

    Files in the configuration's folders belong to the program, as do those that the caller knows to
    be `ours`; elsewhere no file is replaced without `--force`.

    Raises:
        InputError: The file exists, a folder is in its place, or the folder is not writable.
    """
    from elcrec.files.atomic import check_replaceable, protecting
    from elcrec.files.paths import check_folder

    path: Path = args.output or config.output.joinpath(*default)
    folders = (folder.resolve() for folder in (config.output, config.data))
    allowed = ours or args.force or any(path.resolve().is_relative_to(folder) for folder in folders)
    with protecting(None if allowed else path):
        if not folder:
            check_replaceable(path)
        check_folder(path if folder else path.parent)
        yield path


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config FILE …`: may be given repeatedly, all files are kept in order."""
    parser.add_argument(
        "--config",
        nargs="*",
        action="extend",
        default=[],
        type=file_path,
        metavar="FILE",
        help="merged into the default config",
    )


def add_any_code(parser: argparse.ArgumentParser) -> None:
    """Add `--any-code`."""
    help_text = "also use runs that other code made"
    parser.add_argument("--any-code", action="store_true", help=help_text)


def add_kernels(parser: argparse.ArgumentParser) -> None:
    """Add `--kernels`."""
    parser.add_argument(
        "--kernels",
        choices=("plain", "native"),
        help="native: compiled CPU code for Transformers, needs g++ (default: from the config)",
    )


def add_time_limit(parser: argparse.ArgumentParser) -> None:
    """Add `--time-limit MINUTES`."""
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="MINUTES",
        help="stop at a checkpoint before then (exit status 75); the same command resumes",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add `--device` and `--threads`, which accepts what `threads` of the configuration accepts."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=_threads, help="CPU threads (training: from the config)")
