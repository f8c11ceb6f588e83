"""What the configuration says about a data set: where it comes from and what proves it right."""

import os
import re
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Self
from urllib.request import url2pathname

from pydantic import AfterValidator, Field, model_validator

from elcrec.errors import InputError, relative_to
from elcrec.files.checked import (
    Count,
    FilePath,
    Line,
    Positive,
    Record,
    Section,
    Some,
    Text,
    matching,
)
from elcrec.files.jsonfile import read_json
from elcrec.files.paths import sha256_of

Format = Literal[
    "sequences",  # the prepared format itself: `user item item …`
    "amazon-reviews",
    "yelp-reviews",
    "movielens",
    "csv",  # named columns
    "recbole-inter",  # the same with RecBole's headers
    "sasrec-text",
    "mind-behaviors",
]
SEQUENCES: Format = "sequences"
COUNTS = ("users", "items", "actions")
OF_RAW = ("core", "min_rating", "doubled")
"""Settings of a data set that apply to raw files only, not to the prepared format."""
PREPARATION = 1
"""Increased when the same file is prepared differently: Snakemake then prepares and trains again.
Not a hash of the code, which a new message would change; a test pins what is prepared."""
PREPARED = ("sequences.txt", "statistics.json", "users.csv", "items.csv")
"""What preparing writes into the folder of a data set."""
MIRROR = "ELCREC_MIRROR"  # environment variable


def _digits(number: int) -> Any:
    pattern = rf"^[0-9a-fA-F]{{{number}}}$"
    return matching(pattern, f"{number} hexadecimal digits, 0-9 and a-f")


_BEGINNING = "an address that begins with http://, https:// or file://"
Address = Annotated[str, matching("^(https?|file)://", _BEGINNING)]
Sha256 = Annotated[str, _digits(64), AfterValidator(str.lower)]
Md5 = Annotated[str, _digits(32), AfterValidator(str.lower)]


def _local(path: Path) -> Path:
    if re.match(r"\w+:/", str(path)):
        raise ValueError("must be a local file; an address belongs in `urls` of `sources`")
    return path


LocalFile = Annotated[FilePath, AfterValidator(_local)]


class Source(Section):
    """A file, where it can be fetched, and what proves that it is the right one."""

    file: str | None = None
    """Name under which it is kept, and under which a mirror has it; by default that of `path`."""
    path: LocalFile | None = None
    """A local file, read in place."""
    urls: Some[Address] = []
    """Addresses of the same file, tried in order."""
    size: Positive | None = None
    """Bytes of the fetched file; like the checksums, of the wheel if there is one."""
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    wheel: Text | None = None
    """Requirement (name==version) of a Python package that holds the file as `member`."""
    member: Text | None = None
    """File inside a zip archive or a wheel."""

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if not self.name or self.name != PurePath(self.name).name:  # it is joined to folders
            raise ValueError(f"needs `file`, a plain file name, or `path`; found {self.name!r}")
        if self.wheel and not self.member:
            raise ValueError("a wheel needs `member`, the file inside it")
        return self

    @property
    def name(self) -> str:
        """Name under which it is kept, and looked for in a mirror."""
        return self.file or (self.path.name if self.path else "")


class Columns(Section):
    """Which column of a table is which: names in its header, or positions from 1 without one."""

    user: Text | Positive | None = None
    item: Text | Positive | None = None
    time: Text | Positive | None = None
    rating: Text | Positive | None = None


class DataSource(Source):
    """A source of a data set."""

    format: Format
    columns: Columns | None = None
    """For `csv` and `recbole-inter`; usual column names are recognised without it."""


Doubled = Literal["keep", "first", "last"]


class Counts(Section):
    """Size of a prepared data set; what is not given is not checked."""

    users: Positive | None = None
    items: Positive | None = None
    actions: Positive | None = None


class Dataset(Section):
    """A data set, from `sources`, from the user's own file, or from both, that file first."""

    name: Line | None = None
    """As the tables show it."""
    sha256: Sha256 | None = None
    """Of the prepared file."""
    counts: Counts | None = None
    """Of the prepared file."""
    path: LocalFile | None = None
    """The user's own file."""
    format: Format = SEQUENCES
    """Of the user's own file."""
    member: Text | None = None
    """File inside the user's own file, if that is an archive."""
    columns: Columns | None = None
    """Of the user's own file."""
    sources: Annotated[list[DataSource], Field(min_length=1)] = []
    """Tried in order."""
    core: Count = 5
    """Users and items with fewer interactions are dropped, repeatedly; 0: keep all."""
    min_rating: float | None = None
    """Interactions with a lower rating are dropped before the core."""
    doubled: Doubled = "keep"
    """Which of several interactions of a user with an item to keep: all, the first or the last."""
    popular: Positive | None = None
    """Then keep this many most popular items, and users with at least 5 interactions with them."""

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Self:
        if not (self.path or self.sources):
            raise ValueError("a key is missing: 'sources' or 'path'")
        raw = [key for key in OF_RAW if key in self.model_fields_set]
        if raw and all(place.format == SEQUENCES for place in self.places):
            raise ValueError(f"{raw[0]}: only for raw files; format {SEQUENCES} is used as it is")
        return self

    @property
    def places(self) -> list[DataSource]:
        """The user's own file before all sources."""
        if not self.path:
            return self.sources
        own = DataSource.model_construct(
            path=self.path, format=self.format, member=self.member, columns=self.columns
        )
        return [own, *self.sources]


def check_own(name: str, path: Path, folder: Path) -> None:
    """Check that a data set can be prepared in a folder from the user's own file.

    Raises:
        InputError: The file is missing, or preparing would overwrite it.
    """
    where = f"datasets.{name}: path {path}"
    if not os.path.isfile(path):
        what = "not a" if path.exists() else "no such"
        raise InputError(f"{where}: {what} file{relative_to(path)}")
    if path.resolve() in [folder.resolve() / file for file in PREPARED]:
        raise InputError(f"{where}: the prepared file is written there; put your own elsewhere")


class _Prepared(Record):
    sha256: Line | None = None


def is_whole(path: Path) -> bool:
    """Whether a prepared file is the one that the statistics next to it, if any, describe."""
    statistics = path.with_name(PREPARED[1])
    if not statistics.exists():
        return True
    return read_json(statistics, _Prepared).sha256 in (sha256_of(path), None)


def mirror() -> Path | str | None:
    """The folder, or the address (http, https), that `ELCREC_MIRROR` names; None if it is not set.

    Raises:
        InputError: It names neither.
    """
    told = os.environ.get(MIRROR)
    if not told or told.startswith(("http://", "https://")):
        return told or None
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
