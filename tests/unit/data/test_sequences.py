"""The prepared format: a round trip, and a named line for every wrong input."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elcrec.data.sequences import Sequences, format_sequences, parse_sequences, read_sequences
from elcrec.errors import InputError

GOOD = b"1 1 2 3 4\n2 2 1 6 3 3\n"
NUMBERED = b"1 1 2 3 4\n2 2 1 5 3 3\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my.txt"


def test_what_is_read(path: Path) -> None:
    path.write_bytes(GOOD)
    sequences = read_sequences(path)
    assert sequences.items.tolist() == [1, 2, 3, 4, 2, 1, 5, 3, 3]
    assert sequences.item_ids == ("1", "2", "3", "4", "6")
    assert sequences.offsets.tolist() == [0, 4, 9]
    assert sequences.items.dtype == sequences.offsets.dtype == np.int64
    assert sequences.users == ("1", "2")
    assert (sequences.n_users, sequences.n_items, sequences.n_actions) == (2, 5, 9)
    assert sequences.lengths.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("line", "valid", "test"),
    [
        ("5 6 7 8", 0, 0),
        ("5 6 7 5", 0, 1),
        ("5 6 5 7", 1, 0),
        ("5 6 7 7", 0, 1),  # of the test the item of validation is history too
        ("5 5 6 7", 0, 0),  # repeated, but no target
        ("7 9 9 7 1 9 7", 1, 1),
    ],
)
def test_targets_in_the_users_own_history(path: Path, line: str, valid: int, test: int) -> None:
    path.write_text(f"a 7 8 9 1\nb {line}\nc 5 6 9 8 2\n")
    assert read_sequences(path).repeated() == {"valid": valid, "test": test}


def test_written_and_read_again(path: Path) -> None:
    path.write_bytes(GOOD)
    assert format_sequences(read_sequences(path)) == NUMBERED
    path.write_bytes(NUMBERED)
    assert format_sequences(read_sequences(path)) == NUMBERED


def test_numbers_do_not_depend_on_the_ids(path: Path) -> None:
    """Text, gaps, a zero, huge numbers: the order in which items appear is all that counts."""
    for ids in ("abcde", ["0", "7", "100000", "9" * 40, "-3"], ["2", "1", "5", "4", "3"]):
        words = [ids[i] for i in (0, 1, 2, 3, 1, 0, 4, 2, 2)]
        path.write_text(f"x {' '.join(words[:4])}\ny {' '.join(words[4:])}\n")
        sequences = read_sequences(path)
        assert format_sequences(sequences) == NUMBERED
        assert sequences.item_ids == tuple(ids)
        assert sequences.users == ("x", "y")


TOKENS = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8)
HISTORIES = st.lists(TOKENS, min_size=4, max_size=12)


@given(st.dictionaries(TOKENS, HISTORIES, min_size=1, max_size=8))
def test_any_users_and_items_survive(histories: dict[str, list[str]]) -> None:
    lines = [" ".join([user, *items]) for user, items in histories.items()]
    sequences = parse_sequences("\n".join(lines).encode(), "x")
    assert sequences.users == tuple(histories)
    found = [sequences.item_ids[number - 1] for number in sequences.items]
    assert found == [item for items in histories.values() for item in items]
    again = parse_sequences(format_sequences(sequences), "x")
    assert again.items.tolist() == sequences.items.tolist()
    assert again.offsets.tolist() == sequences.offsets.tolist()


@pytest.mark.parametrize(
    "content",
    [
        GOOD.rstrip(b"\n"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b" ", b"\t"),
        GOOD.replace(b" ", b"  "),
        GOOD.replace(b"\n", b" \n"),
        b" " + GOOD,
        b"\xef\xbb\xbf" + GOOD,
    ],
)
def test_harmless_variations(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    sequences = read_sequences(path)
    assert sequences.users == ("1", "2")
    assert sequences.items.tolist() == [1, 2, 3, 4, 2, 1, 5, 3, 3]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (b"", "an empty line"),
        (b"  ", "an empty line"),
        (b"u", "fewer than 4 items"),
        (b"u 1 2 3", "fewer than 4 items"),
        (b"u,1,2,3,4", "fewer than 4 items"),
        (b"1 4 3 2 1", "user '1' is already on line 1"),
        (b"u 1 2 3 \xff", "not UTF-8 text"),
        (b"\xff 1 2 3 4", "not UTF-8 text"),
        (b"u\0 1 2 3 4", "a binary file"),
        (b"u 1 2 3 4\0", "a binary file"),
    ],
)
def test_wrong_line(path: Path, refused, second: bytes, reason: str) -> None:
    path.write_bytes(b"1 1 2 3 4\n" + second + b"\n3 1 2 5 3\n")
    message = refused(read_sequences, path)
    assert message.startswith(f"{path}, line 2: ")
    assert reason in message
    assert len(message) < 400


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_empty_file(path: Path, refused, content: bytes) -> None:
    path.write_bytes(content)
    assert refused(read_sequences, path).startswith(f"{path}: is empty")


def test_binary_file(path: Path, refused) -> None:
    path.write_bytes(bytes(range(256)) * 4)
    assert f"{path}, line 1: " in refused(read_sequences, path)


def test_missing_file_and_folder(path: Path, refused) -> None:
    assert "cannot be read" in refused(read_sequences, path)
    assert "cannot be read" in refused(read_sequences, path.parent)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes) -> None:
    try:
        lengths = parse_sequences(content, "file").lengths
    except InputError as error:
        message = str(error)
    else:
        message = ""
        assert lengths.min() >= 4
    assert "\n" not in message


def test_a_million_interactions_take_about_a_second(path: Path) -> None:
    items = np.random.default_rng(0).integers(1, 20001, 1_000_000)
    written = Sequences(items, np.arange(0, 1_000_001, 20), tuple(map(str, range(50_000))))
    path.write_bytes(format_sequences(written))
    start = time.perf_counter()
    read = read_sequences(path)
    assert time.perf_counter() - start < 5  # 0.5 s on an idle machine
    assert (np.array(read.item_ids, dtype=np.int64)[read.items - 1] == items).all()


def test_a_space_of_unicode_is_part_of_an_id(path: Path) -> None:
    path.write_bytes("u Pad\u00a0Thai a\u3000b c d\n".encode())
    assert read_sequences(path).item_ids == ("Pad\u00a0Thai", "a\u3000b", "c", "d")
