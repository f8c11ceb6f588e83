"""Preparing from every format, the check against the configuration, and nothing half-written."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from elcrec.data.fetched import Fetched
from elcrec.data.ids import read_ids
from elcrec.data.prepare import prepare
from elcrec.data.sources import PREPARATION, Dataset, DataSource
from elcrec.errors import InputError
from tests.unit.data.conftest import entry_of

# Six users and five items in a full table, u0 with one rare item more; time runs backwards.
USERS, ITEMS = 6, 5
ROWS = [("u0", "rare", 999)]
ROWS += [(f"u{u}", f"i{i}", 100 - i) for u in range(USERS) for i in range(ITEMS)]
EXPECTED = "".join(f"{u + 1} 1 2 3 4 5\n" for u in range(USERS)).encode()
SHA = hashlib.sha256(EXPECTED).hexdigest()


def amazon(rows: list[tuple]) -> bytes:
    keys = ("reviewerID", "asin", "unixReviewTime")
    lines = [json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in rows]
    return gzip.compress("".join(lines).encode())


def yelp(rows: list[tuple]) -> bytes:
    keys = ("user_id", "business_id", "date")
    dated = [
        (user, item, f"2019-06-01 00:{time // 60:02}:{time % 60:02}") for user, item, time in rows
    ]
    return "".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in dated).encode()


def movielens(rows: list[tuple]) -> bytes:
    return "".join(f"{user}\t{item}\t1\t{time}\n" for user, item, time in rows).encode()


def recbole(rows: list[tuple]) -> bytes:
    header = b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    return header + movielens(rows)


def sasrec(rows: list[tuple]) -> bytes:
    ordered = sorted(rows, key=lambda row: (row[0], row[2]))
    return "".join(f"{user} {item}\n" for user, item, _ in ordered).encode()


def mind(rows: list[tuple]) -> bytes:
    """Two items of a user as history, the others as impressions in reverse."""
    users: dict[str, list[tuple[int, str]]] = {}
    for user, item, time in rows:
        users.setdefault(user, []).append((time, item))
    lines = []
    for user, clicks in users.items():
        history, later = sorted(clicks)[:2], sorted(clicks)[2:]
        before = " ".join(item for _, item in history)
        for time, item in reversed(later):
            at = f"11/11/2019 10:{time // 60:02}:{time % 60:02} PM"
            lines.append(f"{len(lines) + 1}\t{user}\t{at}\t{before}\tother-0 {item}-1\n")
    return "".join(lines).encode()


WRITERS = {
    "amazon-reviews": amazon,
    "yelp-reviews": yelp,
    "movielens": movielens,
    "recbole-inter": recbole,
    "sasrec-text": sasrec,
    "mind-behaviors": mind,
    "csv": lambda rows: recbole(rows).replace(b"\t", b","),
    "sequences": lambda rows: EXPECTED,
}


@pytest.fixture
def fetched(tmp_path: Path) -> Callable[[str, bytes], Fetched]:
    def build(format: str, content: bytes) -> Fetched:
        path = tmp_path / "raw"
        path.write_bytes(content)
        return Fetched(path, DataSource(format=format, file="raw"), "somewhere")

    return build


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def small(**keys: object) -> Dataset:
    return entry_of({"name": "Small", "path": "unused", "format": "csv", **keys})


@pytest.mark.parametrize("format", WRITERS)
def test_every_format_gives_the_same_sequences(format: str, fetched, out: Path) -> None:
    counts = {"users": USERS, "items": ITEMS, "actions": USERS * ITEMS}
    path = prepare(
        "small", small(sha256=SHA, counts=counts), fetched(format, WRITERS[format](ROWS)), out
    )
    assert path.read_bytes() == EXPECTED
    assert json.loads((out / "statistics.json").read_text()) == {
        "dataset": "small",
        "name": "Small",
        **counts,
        "mean_length": 5.0,
        "sparsity_percent": 0.0,
        "repeated_targets": {"valid": 0, "test": 0},
        "sha256": SHA,
        "origin": "somewhere",
        "format": format,
        "before_core": None
        if format == "sequences"
        else {"users": USERS, "items": ITEMS + 1, "actions": len(ROWS)},
    }


PREPARED = {1: "e93f7557dc1c7ff6"}
"""Hash of what `test_what_is_prepared_has_its_number` prepares, by `PREPARATION`."""


def test_what_is_prepared_has_its_number(fetched, out: Path) -> None:
    """Other content needs another number, for Snakemake to prepare and train again."""
    rows = [*ROWS, ("u1", "i1", 500), ("u2", "i3", 98), *((f"v{u}", "i4", 7) for u in range(4))]
    rows += [(f"u{u}", f"j{u % 3}", 50 + u) for u in range(USERS)]
    whole = hashlib.sha256()
    for keys in ({}, {"core": 2}, {"doubled": "first"}, {"doubled": "last", "core": 3}):
        for format in ("amazon-reviews", "yelp-reviews", "movielens", "sasrec-text", "csv"):
            entry = fetched(format, WRITERS[format](rows))
            whole.update(prepare("small", small(**keys), entry, out).read_bytes())
    for keys in ({"min_rating": 1}, {"popular": 4}):
        entry = fetched("recbole-inter", recbole(rows))
        whole.update(prepare("small", small(**keys), entry, out).read_bytes())
    whole.update(prepare("small", small(), fetched("mind-behaviors", mind(ROWS)), out).read_bytes())
    own = b"anna 7 #2 9 7\nberta\t3 3 3 3"
    whole.update(prepare("small", small(), fetched("sequences", own), out).read_bytes())
    assert whole.hexdigest()[:16] == PREPARED.get(PREPARATION), "raise PREPARATION, note its hash"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_of_ones_own_is_numbered_and_its_ids_are_kept(pack, fetched, out: Path) -> None:
    own = b'anna 7 #2 9 "1"\nberta\t3 3 3 3'
    path = prepare("small", small(), fetched("sequences", pack(own)), out)
    assert path.read_bytes() == b"1 1 2 3 4\n2 5 5 5 5\n"
    ids = read_ids(out)
    assert ids.users == ["anna", "berta"]
    assert ids.items == ["7", "#2", "9", '"1"', "3"]
    assert (ids.users[1], ids.items[4]) == ("berta", "3")
    assert json.loads((out / "statistics.json").read_text())["items"] == 5


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"sha256": "0" * 64}, ["sha256", SHA, "0" * 64]),
        ({"counts": {"users": 7, "items": 5, "actions": 30}}, ["6 users instead of 7"]),
        ({"counts": {"items": 4}, "sha256": "1" * 64}, ["5 items instead of 4", "1" * 64]),
    ],
)
def test_not_what_the_configuration_says(
    format: str, keys: dict, words: list[str], fetched, out: Path, refused
) -> None:
    raw = fetched(format, WRITERS[format](ROWS))
    message = refused(prepare, "small", small(**keys), raw, out)
    assert all(word in message for word in (str(raw.path), "small", *words)), message
    assert not out.exists()


@pytest.mark.parametrize(
    ("format", "content", "words"),
    [
        ("amazon-reviews", amazon(ROWS)[:-10], ["damaged or cut short"]),
        ("amazon-reviews", b"{}\n", ["line 1", "reviewerID"]),
        ("yelp-reviews", b"nonsense\n", ["line 1", "JSON"]),
        ("movielens", movielens(ROWS)[:-4], ["line 31", "3 columns"]),
        ("recbole-inter", recbole(ROWS) + b"x\n", ["line 33", "1 columns"]),
        ("sequences", b"1 1 2 3 4\n2 1 2 3\n", ["line 2", "fewer than 4"]),
        ("sequences", b"", ["is empty"]),
        ("movielens", movielens(ROWS[:20]), ["at least 5 interactions"]),
    ],
)
def test_wrong_input_leaves_nothing(
    format: str, content: bytes, words: list[str], fetched, out: Path, refused
) -> None:
    raw = fetched(format, content)
    message = refused(prepare, "small", small(), raw, out)
    assert all(word in message for word in (str(raw.path), *words)), message
    assert not out.exists()


def test_a_failure_keeps_what_was_there(fetched, out: Path, refused) -> None:
    prepare("small", small(), fetched("sequences", EXPECTED), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    refused(prepare, "small", small(), fetched("sequences", EXPECTED + b"7 1\n"), out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_no_statistics_without_sequences(fetched, out: Path) -> None:
    (out / "sequences.txt" / "in the way").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot be written: it exists and is not a file"):
        prepare("small", small(), fetched("sequences", EXPECTED), out)
    assert not (out / "statistics.json").exists()


def test_ratings_doubled_interactions_and_the_core_are_settings(fetched, out: Path) -> None:
    lines = ["user,item,rating,time"]
    lines += [
        f"u,{item},{rating},{time}"
        for time, (item, rating) in enumerate(
            [("a", 5), ("b", 4), ("c", 1), ("a", 5), ("d", 4), ("e", 5)]
        )
    ]
    content = "\n".join(lines).encode()

    def ids(**keys: object) -> list[str]:
        path = prepare("small", small(core=0, **keys), fetched("csv", content), out)
        numbers = path.read_text().split()[1:]
        return [read_ids(out).items[int(number) - 1] for number in numbers]

    assert ids() == ["a", "b", "c", "a", "d", "e"]
    assert ids(min_rating=4) == ["a", "b", "a", "d", "e"]
    assert ids(min_rating=4, doubled="first") == ["a", "b", "d", "e"]
    assert ids(min_rating=4, doubled="last") == ["b", "a", "d", "e"]


def test_a_filter_that_leaves_nothing_says_what_was_there(fetched, out: Path, refused) -> None:
    raw = fetched("movielens", movielens(ROWS))
    message = refused(prepare, "small", small(core=100), raw, out)
    assert f"{raw.path}: nothing is left of {len(ROWS)} interactions" in message
    assert message.endswith("no user and item have at least 100 interactions each; lower `core`")
    assert "after" not in message  # no other filter was set
    message = refused(prepare, "small", small(core=100, doubled="first"), raw, out)
    assert ": 6 after `doubled`, and among these no user" in message.replace(str(len(ROWS)), "6")
    message = refused(prepare, "small", small(min_rating=9), raw, out)
    assert re.search(r" small: the highest rating is \d; lower `min_rating`$", message)
    short = fetched("movielens", movielens(ROWS[:1]))
    message = refused(prepare, "small", small(core=0), short, out)
    assert message.endswith(
        ", data set small: no user has the 4 items that training and evaluation need"
    )


def test_a_lowest_rating_needs_ratings(fetched, out: Path, refused) -> None:
    raw = fetched("sasrec-text", sasrec(ROWS))
    assert "has no rating" in refused(prepare, "small", small(min_rating=3), raw, out)


def test_only_the_popular_items_and_who_has_five_of_them(fetched, out: Path) -> None:
    rows = [(f"u{u}", f"i{i}", i) for u in range(6) for i in range(8) if i < 5 + u % 3]
    path = prepare("small", small(core=0, popular=6), fetched("movielens", movielens(rows)), out)
    assert path.read_text() == "".join(
        f"{u + 1} {' '.join(map(str, range(1, 6 + (u % 3 > 0))))}\n" for u in range(6)
    )
    assert json.loads((out / "statistics.json").read_text())["items"] == 6
    assert read_ids(out).items == [f"i{i}" for i in range(6)]
    told = r"nothing is left of 6 users and 7 items, data set small: no user has five of the 3 most"
    with pytest.raises(InputError, match=rf"{told} popular items; raise `popular`$"):
        prepare("small", small(core=0, popular=3), fetched("movielens", movielens(rows)), out)


@pytest.mark.parametrize("key", [{"core": 3}, {"min_rating": 4}, {"doubled": "first"}])
def test_settings_of_raw_files_are_refused_for_a_prepared_one(key) -> None:
    (name,) = key
    with pytest.raises(InputError, match=f"{name}: only for raw files; format sequences is used"):
        small(format="sequences", **key)
    assert small(format="csv", **key)
