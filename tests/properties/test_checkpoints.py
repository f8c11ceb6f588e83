"""Checkpoints and atomic files: what is saved comes back, what is damaged is found."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from elcrec.files.atomic import replaced, write_text
from elcrec.jobs.checkpoints import Checkpoints
from tests.fuzzing import examples
from tests.properties.strategies import SEEDS, cases

TYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int16,
    torch.uint8,
    torch.bool,
]


@contextmanager
def folder() -> Iterator[Path]:
    """A fresh folder for each case; pytest's is one for all of a test's cases."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def tensor(kind: torch.dtype, shape: list[int], seed: int, view: bool) -> torch.Tensor:
    """Any bits of a type, NaN and infinities among them; perhaps a view that is not contiguous."""
    width = torch.empty((), dtype=kind).element_size()
    size = [*shape, width]
    high = 2 if kind == torch.bool else 256
    generator = torch.Generator().manual_seed(seed)
    content = torch.randint(high, size, generator=generator, dtype=torch.uint8)
    made = content.view(kind).reshape(shape)
    return made.transpose(0, -1) if view and shape else made


TENSORS = st.builds(
    tensor,
    st.sampled_from(TYPES),
    st.lists(st.integers(0, 4), max_size=3),
    SEEDS,
    st.booleans(),
)
LEAVES = st.one_of(
    TENSORS,
    st.integers(-(2**60), 2**60),
    st.floats(),
    st.text(max_size=5),
    st.booleans(),
    st.none(),
)
KEYS = st.one_of(st.text(max_size=5), st.integers(0, 9))
NESTED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)
STATES = st.dictionaries(st.text(min_size=1, max_size=8), NESTED, max_size=5)


def bits(value: Any) -> Any:
    """Something to compare: types, shapes and bits, so that NaN equals itself and 0.0 not -0.0."""
    if isinstance(value, torch.Tensor):
        raw = value.contiguous().reshape(-1).view(torch.uint8)
        return str(value.dtype), tuple(value.shape), tuple(raw.tolist())
    if isinstance(value, dict):
        return [(type(key), key, bits(inner)) for key, inner in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [bits(inner) for inner in value]
    return type(value), value.hex() if isinstance(value, float) else value


@cases(80)
@given(STATES)
def test_any_state_comes_back_bit_for_bit(state):
    with folder() as path:
        Checkpoints(path, "identity").save(1, state)
        again = Checkpoints(path, "identity").load()
    assert bits(again) == bits(state)


@cases(25)
@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=6, unique=True), STATES)
def test_the_newest_is_read_whatever_was_written_before(epochs, state):
    with folder() as path:
        for epoch in sorted(epochs):
            Checkpoints(path, "identity").save(epoch, state | {"epoch": epoch})
        assert len(list(path.iterdir())) == min(2, len(epochs))
        loaded = Checkpoints(path, "identity").load()
        assert Checkpoints(path, "another").load() is None
    assert loaded is not None
    assert loaded["epoch"] == max(epochs)


class Damaged:
    """Two checkpoints, of which the newer one is overwritten with what a test makes of it."""

    def __init__(self, path: Path) -> None:
        self.checkpoints = Checkpoints(path, "0123456789abcdef")
        random = torch.Generator().manual_seed(0)
        for epoch in (1, 2):
            weights = torch.randn(3, 4, generator=random)
            self.checkpoints.save(epoch, {"epoch": epoch, "model": {"items": weights}})
        self.newest = path / "epoch-00002.ckpt"
        self.good = self.newest.read_bytes()
        self.older = (path / "epoch-00001.ckpt").read_bytes()

    def is_found(self, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
        """Load with this content: the older one comes back, and one line names the newer one."""
        self.newest.write_bytes(content)
        state = self.checkpoints.load()
        assert state is not None
        assert state["epoch"] == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert error.startswith(f"{self.newest}: ")
        assert (self.newest.with_name("epoch-00001.ckpt")).read_bytes() == self.older


@pytest.fixture
def damaged(tmp_path: Path) -> Damaged:
    return Damaged(tmp_path)


def places(content: bytes) -> list[int]:
    """Every byte of the header and every fifth one after it; all of them in a long run."""
    header = content.index(b"\n") + 1
    return [*range(header), *range(header, len(content), max(1, 5 // examples(1)))]


def test_a_flipped_byte_is_found_wherever_it_is(damaged, capsys):
    """Masks run through all eight single bits and all of them at once."""
    masks = [1, 2, 4, 8, 16, 32, 64, 128, 255]
    for number, place in enumerate(places(damaged.good)):
        content = bytearray(damaged.good)
        content[place] ^= masks[number % len(masks)]
        damaged.is_found(bytes(content), capsys)


def test_a_file_cut_short_is_found_wherever_it_ends(damaged, capsys):
    for size in places(damaged.good):
        damaged.is_found(damaged.good[:size], capsys)


def test_any_other_damage_is_found(damaged, capsys):
    """Stretches that are zeroed, repeated, left out, put in or exchanged, as a disk might do."""
    good = damaged.good
    random = torch.Generator().manual_seed(1)
    for _ in range(examples(150)):
        first, last, kind = torch.randint(len(good), (3,), generator=random).tolist()
        first, last = min(first, last), max(first, last) + 1
        part, noise = good[first:last], torch.randint(256, (last - first,), generator=random)
        made = [
            bytes(len(part)),
            part + part,
            b"",
            bytes(noise.tolist()),
            bytes(noise.tolist()) + part,
            part[::-1],
        ][kind % 6]
        content = good[:first] + made + good[last:]
        if content != good:
            damaged.is_found(content, capsys)


def test_whole_files_of_something_else_are_found(damaged, capsys):
    stranger = damaged.newest.parent / "stranger"
    torch.save({"epoch": 2}, stranger)
    for content in (stranger.read_bytes(), b"\n", b" \n ", b"PK\x03\x04", damaged.older[::-1]):
        damaged.is_found(content, capsys)
    shutil.copy(damaged.newest.with_name("epoch-00001.ckpt"), damaged.newest)
    state = damaged.checkpoints.load()  # whole, and of this run: its own state is what counts
    assert state is not None
    assert state["epoch"] == 1


@cases(60)
@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 200), st.booleans())
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(old, new, wrote, existed):
    class Stop(BaseException):
        """As Ctrl-C, it is no Exception."""

    with folder() as path:
        target = path / "inner" / "file.bin"
        if existed:
            with replaced(target) as temporary:
                temporary.write_bytes(old)

        def fail() -> None:
            with replaced(target) as temporary:
                temporary.write_bytes(new[:wrote])
                assert not existed or target.read_bytes() == old
                raise Stop

        with pytest.raises(Stop):
            fail()
        assert [file.name for file in target.parent.iterdir()] == ["file.bin"] * existed
        assert not existed or target.read_bytes() == old
        with replaced(target) as temporary:
            temporary.write_bytes(new)
        assert target.read_bytes() == new
        assert [file.name for file in target.parent.iterdir()] == ["file.bin"]


@cases(60)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=50))
def test_any_text_is_written_as_it_is(text):
    with folder() as path:
        write_text(path / "a.txt", text)
        assert (path / "a.txt").read_text(encoding="utf-8") == text
