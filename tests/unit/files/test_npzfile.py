"""Arrays in few bits: a number that does not fit is kept in more."""

import numpy as np
import pytest

from elcrec.files.npzfile import narrowed, read_arrays, whole_numbers, write_arrays

WIDTHS = (np.int16, np.int32, np.float16)
"""What snapshots of intents are written in."""


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ([], np.int16),
        ([0, 32_767], np.int16),
        ([32_768], np.int32),  # an intent of that number was -32768 once
        ([-32_769, 5], np.int32),
        ([2**31 - 1], np.int32),
        ([2**31], np.int64),
    ],
)
def test_whole_numbers_take_the_first_type_that_holds_them(tmp_path, numbers, kind):
    write_arrays(tmp_path / "a.npz", {"x": np.array(numbers, dtype=np.int64)}, *WIDTHS)
    found = read_arrays(tmp_path / "a.npz")["x"]
    assert found.tolist() == numbers
    assert found.dtype == kind


def test_other_numbers_are_rounded_but_never_infinite():
    assert narrowed(np.float32([0.1, 65_504]), *WIDTHS).dtype == np.float16
    assert narrowed(np.float32([0.1, 65_504]), *WIDTHS)[0] == pytest.approx(0.1, rel=1e-3)
    large = np.float32([0.1, 70_000])
    assert narrowed(large, *WIDTHS) is large
    assert narrowed(np.array([-1]), np.uint8, np.uint16).tolist() == [-1]


def test_numbers_of_one_byte_are_read_in_a_type_to_count_with():
    stored = narrowed(np.array([0, 255]), np.uint8)
    assert (stored + np.uint8(1)).tolist() == [1, 0]
    assert whole_numbers("x", stored, rows=2, words="").max() + 1 == 256
