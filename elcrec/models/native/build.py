"""Compile the C++ files in this folder once per machine and load the result.

Plain C++ without PyTorch's headers: it takes a second or two and needs no ninja. The BLAS and the
OpenMP threads are those that PyTorch itself is linked with.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

from elcrec.errors import InputError, writing

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "encoder.cpp"
LANES = 16  # the width must be a multiple of it
# Not -ffast-math: a diverged loss must still show as NaN.
COMPILE = [
    "-std=c++17",
    "-O3",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fopenmp",
    "-fPIC",
]


@functools.cache
def library(width: int) -> ctypes.CDLL:
    """The kernels for hidden states of this width, compiled if they have not been before.

    Raises:
        InputError: No C++ compiler, or it fails.
    """
    compiler = find_compiler()
    target = cache_folder() / f"encoder-{width}-{_key(compiler)}.so"
    if not target.exists():
        _build(compiler, width, target)
    try:
        loaded = ctypes.CDLL(str(target))
    except OSError as error:
        raise InputError(f"native kernels: cannot load {target}: {error}") from None
    for name in ("elcrec_saved_floats", "elcrec_gradient_floats", "elcrec_parts"):
        getattr(loaded, name).restype = ctypes.c_int64
    return loaded


def find_compiler() -> str:
    """Path of the C++ compiler: $CXX, else g++ or c++ (GCC: its vector types).

    Raises:
        InputError: There is none.
    """
    told = os.path.expanduser(os.environ.get("CXX", ""))
    names = [told] if told else ["g++", "c++"]
    for name in names:
        if path := shutil.which(name):
            return path
    raise InputError(
        f"native kernels need a GCC C++ compiler ({' or '.join(names)}): install one, set CXX, "
        "or use the plain kernels"
    )


def cache_folder() -> Path:
    """Where built libraries stay: elcrec/ in the user's cache folder.

    Raises:
        InputError: It is not an absolute path, or there is no home folder.
    """
    folder = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    if not os.path.isabs(folder):
        raise InputError(f"native kernels: XDG_CACHE_HOME must be an absolute path, got {folder!r}")
    return Path(folder) / "elcrec"


def source_hash() -> str:
    """Hash of the C++ files, for the record of a run: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted([*FOLDER.glob("*.h"), *FOLDER.glob("*.cpp")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _key(compiler: str) -> str:
    """Hash of all that determines the binary: sources, flags, compiler, processor, PyTorch."""
    digest = hashlib.sha256(source_hash().encode())
    version = subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout
    parts = (COMPILE, version, _processor(), torch.__version__, torch.__file__)
    digest.update(repr(parts).encode())
    return digest.hexdigest()[:16]


def _processor() -> str:
    """Model and instruction sets: machines that differ may share a cache."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return " ".join(sorted({x for x in lines if x.startswith(("model name", "flags", "Features"))}))


def _build(compiler: str, width: int, target: Path) -> None:
    """Compile next to the target and rename, so runs that start together do not collide.

    Raises:
        InputError: The cache folder cannot be made or written, or the compiler fails.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        own = tempfile.TemporaryDirectory(dir=target.parent)
    libraries = Path(torch.__file__).parent / "lib"
    with own as folder:
        objects, built = Path(folder) / "encoder.o", Path(folder) / "encoder.so"
        _run([compiler, *COMPILE, f"-DELCREC_WIDTH={width}", "-c", str(SOURCE), "-o", str(objects)])
        # Linked without -fopenmp: the OpenMP functions must come from PyTorch's copy.
        link = [f"-L{libraries}", "-ltorch_cpu", f"-Wl,-rpath,{libraries}"]
        _run([compiler, "-shared", str(objects), "-o", str(built), *link])
        built.replace(target)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = next((x for x in result.stderr.splitlines() if "error" in x), result.stderr[-200:])
        raise InputError(f"native kernels: {command[0]} failed: {reason.strip()}")
