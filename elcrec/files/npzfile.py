"""Files of arrays (.npz), written atomically, and read without running code from them."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elcrec.errors import InputError
from elcrec.files.atomic import replaced

MOST = int(np.iinfo(np.int64).max)


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read what `numpy.savez` wrote.

    Args:
        path: The file.
        names: The arrays to read, all of which must be there; None: every one.

    Raises:
        InputError: The file is missing, damaged, lacks an array or holds something other than
            numbers and texts.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    # numpy, zipfile and the decompressors raise almost anything on damaged bytes: MemoryError for
    # an absurd size, SyntaxError for a header, NotImplementedError for a kind of compression.
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: is not a complete .npz file ({reason})") from None
    absent = [name for name in names or () if name not in arrays]
    if absent:
        raise InputError(f"{path}: has no array '{absent[0]}'; needed: {' and '.join(names or ())}")
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *kinds: type) -> None:
    """Write named arrays, compressed, atomically; each as `narrowed` returns it."""
    with replaced(path) as temporary:
        converted = {name: narrowed(array, *kinds) for name, array in arrays.items()}
        np.savez_compressed(temporary, **converted)  # type: ignore[arg-type]


def narrowed(array: NDArray[Any], *kinds: type) -> NDArray[Any]:
    """The array in the first of these types that can hold it, or else unchanged.

    A type can hold whole numbers if it changes none, and other numbers if it makes none infinite.
    """
    for dtype in map(np.dtype, kinds):
        if (dtype.kind == "f") == (array.dtype.kind == "f"):
            with np.errstate(over="ignore"):
                converted = array.astype(dtype)
            if np.isfinite(converted).all() if dtype.kind == "f" else (converted == array).all():
                return converted
    return array


def whole_numbers(
    where: str,
    array: NDArray[Any],
    rows: int,
    words: str,
    most: int = MOST,
    dimensions: int = 1,
) -> NDArray[np.int64]:
    """The array as `widened` returns it.

    Args:
        where: Words for its place, which the message begins with.
        array: The array.
        rows: How many it must have.
        words: What is allowed, for the message.
        most: The largest number that is allowed.
        dimensions: How many it must have.

    Raises:
        InputError: It is empty, of another shape, or has anything but whole numbers from 0.
    """
    if array.ndim != dimensions or len(array) != rows or not is_whole(array, most):
        raise InputError(f"{where} is {array.dtype} of shape {array.shape}; {words}")
    return widened(array)


def widened(array: NDArray[np.integer]) -> NDArray[np.int64]:
    """Whole numbers, however small they were stored: in one byte, 255 + 1 would be 0."""
    return array.astype(np.int64, copy=False)


def is_whole(array: NDArray[Any], most: int) -> bool:
    """Whether the array has values, and all are whole numbers from 0 to `most`."""
    right = array.dtype.kind in "iu" and array.size > 0
    return right and bool(0 <= array.min() <= array.max() <= most)


def is_finite(array: NDArray[Any]) -> bool:
    """Whether all are numbers, none of them infinite or NaN."""
    return array.dtype.kind in "iuf" and bool(np.isfinite(array).all())
