"""The user's own place with data files: a folder, or an address that names are joined to."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.request import url2pathname

from elcrec.errors import InputError

MIRROR = "ELCREC_MIRROR"  # environment variable


def mirror() -> Path | str | None:
    """The folder, or the address (http, https), that `ELCREC_MIRROR` names; None if it is not set.

    Raises:
        InputError: It names neither.
    """
    told = os.environ.get(MIRROR)
    if not told:
        return None
    if told.startswith(("http://", "https://")):
        return told
    path = file_path(told) or Path(os.path.expanduser(told))
    if not os.path.isdir(path):
        allowed = "an existing folder, or an address with http://, https:// or file://"
        raise InputError(f"{MIRROR}={told!r}: must be {allowed}")
    return path


def file_path(address: str) -> Path | None:
    """The path of a file:// address; None of any other."""
    if not address.startswith("file://"):
        return None
    return Path(url2pathname(address.removeprefix("file://").removeprefix("localhost")))
