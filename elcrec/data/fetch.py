"""Fetch a data set: a local file, else a mirror, else its addresses in order.

A file takes its name only once it is whole and its checksum is right, so whatever stands in the
folder can be trusted, and a second call does nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from elcrec.data.download import FetchError, download, from_wheel
from elcrec.data.fetched import Fetched, earlier_origin, problem
from elcrec.data.sources import MIRROR, Dataset, Source, file_path, mirror
from elcrec.errors import InputError
from elcrec.files.lock import held

UNFINISHED = ".fetch."  # prefix of the folder that a file is brought into
__all__ = ["MIRROR", "Fetched", "fetch"]


def fetch(dataset: Dataset, folder: Path) -> Fetched:
    """Make a file of `dataset` available, the first of its sources that can be had.

    All sources are first looked for on this machine and in the mirror (`ELCREC_MIRROR`), then
    downloaded. FetchErrors that are passed over are told on standard error, one line each.

    Args:
        dataset: The data set; its sources are tried in order.
        folder: Where the file is kept; a local `path` is read where it lies.

    Raises:
        InputError: A local `path` is missing or wrong, no source could be had, or the folder cannot
            be read or written.
    """
    with held(folder, does="fetches into it"):
        try:
            _remove_unfinished(folder)
            return _first(dataset, folder)
        except OSError as error:
            raise InputError(
                f"data set {dataset.id} could not be fetched: {error.filename or folder}: "
                f"{error.strerror or error}"
            ) from None


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed fetch was bringing; nobody else is at work while the folder is held."""
    for left in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)


def _first(dataset: Dataset, folder: Path) -> Fetched:
    failures: list[str] = []
    for source in dataset.sources:
        if source.path:
            return _given(dataset, source, source.path)
        found = _kept(source, folder) or _from_mirror(source, folder, failures)
        if found:
            return found
    for source in dataset.sources:
        found = _from_origin(source, folder, failures)
        if found:
            return found
    tried = "; ".join(failures) or "its sources name no address"
    raise InputError(
        f"data set {dataset.id} could not be fetched: {tried}; set {MIRROR} to a folder that has "
        f"{' or '.join(source.file for source in dataset.sources)}, or give `path` in the config"
    )


def _given(dataset: Dataset, source: Source, path: Path) -> Fetched:
    """The user named this very file, so another one must not take its place."""
    if not path.is_file():
        raise InputError(f"datasets.{dataset.id}: path {path} is not a file")
    if wrong := problem(path, source):
        raise InputError(f"datasets.{dataset.id}: path {path} is {wrong}")
    return Fetched(path, source, str(path))


def _kept(source: Source, folder: Path) -> Fetched | None:
    path = folder / source.file
    if not path.is_file():
        return None
    if wrong := problem(path, source):
        _tell(f"{path} is {wrong}; removed, fetching it again")
        path.unlink()
        return None
    return Fetched(path, source, earlier_origin(folder, source.file) or "fetched earlier")


def _from_mirror(source: Source, folder: Path, failures: list[str]) -> Fetched | None:
    place = mirror()
    if place is None:
        return None
    what = f"{source.file} from the mirror {place}"
    if isinstance(place, str):
        url = f"{place.rstrip('/')}/{quote(source.file)}"
        return _attempt(source, folder, what, failures, partial(download, url, source))
    path = place / source.file
    if not path.is_file():
        failures.append(f"{what}: not there")
        return None
    return _attempt(source, folder, what, failures, partial(_copy, path, source))


def _from_origin(source: Source, folder: Path, failures: list[str]) -> Fetched | None:
    if source.wheel:
        what = f"{source.file} from the wheel {source.wheel}"
        return _attempt(source, folder, what, failures, partial(from_wheel, source))
    for url in source.urls:
        path = file_path(url)  # pooch knows no file:// addresses
        what = f"{source.file} from {path or urlsplit(url).netloc}"
        get = partial(_copy, path, source) if path else partial(download, url, source)
        found = _attempt(source, folder, what, failures, get, url)
        if found:
            return found
    return None


def _attempt(
    source: Source,
    folder: Path,
    what: str,
    failures: list[str],
    get: Callable[[Path], Path],
    origin: str | None = None,
) -> Fetched | None:
    """Let `get` bring the file into a temporary folder; move it into place if it is right."""
    target = folder / source.file
    with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED) as temporary:
        try:
            os.replace(get(Path(temporary)), target)
        except (FetchError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            failures.append(f"{what}: {reason}")
            _tell(failures[-1])
            return None
    return Fetched(target, source, origin or what)


def _copy(path: Path, source: Source, temporary: Path) -> Path:
    copy = temporary / source.file
    shutil.copyfile(path, copy)
    if wrong := problem(copy, source):
        raise FetchError(wrong)
    return copy


def _tell(message: str) -> None:
    print(f"elcrec data fetch: {message}", file=sys.stderr)
