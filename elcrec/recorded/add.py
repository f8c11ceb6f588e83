"""From finished run folders to the record of a machine. What may be recorded: see check.py."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from elcrec.config.config import Config
from elcrec.errors import InputError
from elcrec.files.atomic import replaced, write_json, write_text
from elcrec.files.csvfile import read_csv
from elcrec.files.jsonfile import read_object
from elcrec.files.npzfile import read_arrays
from elcrec.files.weights import WEIGHTS
from elcrec.files.yamlfile import read_yaml
from elcrec.recorded.about import about
from elcrec.recorded.check import check_extra, expected_runs, protocol_of
from elcrec.recorded.folder import RecordedRun, extra_files, read_run, recorded_runs, run_folders
from elcrec.recorded.write import write_run
from elcrec.runs.lists import TOP
from elcrec.runs.settings import digested

MOST_BYTES = 40_000_000
"""Size limit of a machine's folder, because it is kept in git."""
FOLLOWING = ("metrics", "settings")
"""Keys of metrics.json that follow from ranks.npz and from config.yaml."""
COST = ("seconds", "peak_memory", "resumed_after", "host_load", "memory_bytes")
"""Keys of records that differ when the same run is trained again on such a machine."""


def add(
    config: Config,
    machine: Path,
    folders: Iterable[Path],
    replace_recorded: bool = False,
    weights: bool = False,
) -> list[str]:
    """Put finished runs, measurements and checks of weights into the record of a machine.

    Everything is read and checked before anything is written.

    Args:
        config: Names the record.
        machine: The machine's folder in it.
        folders: Output folders, machines' folders of other records, or folders of single runs.
        replace_recorded: Let a run replace another recorded one.
        weights: Also keep the runs' weights and lists; they can be added to recorded runs later.

    Returns:
        Lines that say what is new, and how much is recorded.

    Raises:
        InputError: There is nothing to record, a run is incomplete or may not be recorded, another
            one is recorded in its place, or the machine's folder would be too large.
    """
    protocol = protocol_of(config)
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary)
        origins = _prepared(protocol, folders, stage, weights)
        files = {
            place: _to_write(machine / place, stage / place, origin, replace_recorded)
            for place, origin in origins.items()
        }
        new = [place for place in files if files[place]]
        runs = {run.folder.relative_to(machine): run for run in recorded_runs(machine)}
        new_runs = [place for place in new if stage / place / "metrics.json" in files[place]]
        runs |= {place: read_run(stage / place) for place in new_runs}
        check_data(runs.values())
        text = about(protocol, runs.values())
        new_files = [path for place in new for path in files[place]]
        size = sum(file.stat().st_size for file in (*_files(machine), *new_files))
        if size > MOST_BYTES:
            raise InputError(
                f"{machine}: would have {size:,} bytes; allowed in git: {MOST_BYTES:,}"
            )
        for place in new:
            _put(files[place], stage / place, machine / place)
        write_text(machine / "README.md", text)
    lines = [runs[place].summary if place in runs else str(place) for place in new]
    if unchanged := len(origins) - len(new):
        lines.append(f"{unchanged} were recorded already")
    return [*lines, f"{len(runs)} runs recorded -> {machine}"]


def _prepared(
    config: Config, folders: Iterable[Path], stage: Path, weights: bool
) -> dict[Path, Path]:
    """Check what is to be recorded, and write it to `stage` in the layout of a machine's folder.

    Returns:
        Place below `stage` to the folder or file that it was made from.
    """
    planned = list(expected_runs(config))
    origins: dict[Path, Path] = {}
    for folder in folders:
        single = (folder / "metrics.json").exists()
        runs = [folder] if single else run_folders(folder)
        files = [] if single else extra_files(folder)
        if not runs and not files:
            raise InputError(f"{folder}: has no run, measurement or check of weights to record")
        places = {write_run(config, planned, run, stage, weights): run for run in runs}
        for path in files:
            place = path.relative_to(folder)
            write_json(stage / place, check_extra(config, path))
            places[place] = path
        for place in places.keys() & origins.keys():
            raise InputError(f"{places[place]}: is the same run as {origins[place]}")
        origins |= places
    return origins


def _to_write(target: Path, staged: Path, origin: Path, replace_recorded: bool) -> list[Path]:
    """The staged files that the record gets.

    All files of a new or replaced run. If the recorded run was trained again, with the same result,
    the record keeps its times and gets only the weights and lists that it lacks.

    Raises:
        InputError: A different one is recorded, and it is not to be replaced.
    """
    files = list(_files(staged))
    if not target.exists():
        return files
    ignored = COST if staged.is_dir() and not replace_recorded else ()
    name = _difference(target, staged, ignored)
    if name and replace_recorded:
        return files
    if name:
        raise InputError(
            f"{origin}: is recorded in {target} with another {name}; --replace overwrites it"
        )
    return [
        path for path in files if path.name in (WEIGHTS, TOP) and not (target / path.name).exists()
    ]


def _difference(target: Path, staged: Path, ignored: Sequence[str] = ()) -> str | None:
    """The first file that is not the same in two records of a run or measurement.

    Keys of JSON files and columns of history.csv that begin with a word of `ignored` may differ.
    """
    names = {str(f.relative_to(top)) for top in (target, staged) for f in _files(top)}
    for name in (WEIGHTS, TOP):  # may be kept or not
        if not (target / name).exists() & (staged / name).exists():
            names.discard(name)
    for name in sorted(names):
        if _content(target / name, ignored) != _content(staged / name, ignored):
            return (target / name).name
    return None


def _content(path: Path, ignored: Sequence[str]) -> object:
    """The content of a file, apart from what follows from other files and from what is ignored."""
    if not path.exists():
        return None
    if path.suffix == ".npz":  # perhaps compressed by another library
        return {name: array.tolist() for name, array in read_arrays(path).items()}
    if path.name == "config.yaml":
        config = read_yaml(path)  # without the names of the model and its module
        return {k: v for k, v in config.items() if k not in ("name", "module")} | digested(config)
    left_out = (*ignored, *(FOLLOWING if path.name == "metrics.json" else ()))
    if path.suffix == ".json":
        return {k: v for k, v in read_object(path).items() if not k.startswith(left_out)}
    if path.suffix == ".csv":
        header, rows = read_csv(path)
        columns = zip(header, *rows, strict=True)
        return {name: values for name, *values in columns if not name.startswith(left_out)}
    return path.read_bytes()


def _put(files: Sequence[Path], staged: Path, target: Path) -> None:
    """Put files of a staged run or measurement into the record; a whole run all at once."""
    if staged / "metrics.json" not in files:
        _copy(files, staged, target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        _copy(files, staged, Path(folder) / target.name)
        if target.exists():
            target.rename(Path(folder) / "before")  # the whole run: nothing of another one stays
        (Path(folder) / target.name).rename(target)


def _copy(files: Sequence[Path], staged: Path, target: Path) -> None:
    for path in files:
        with replaced(target / path.relative_to(staged)) as temporary:
            temporary.write_bytes(path.read_bytes())


def _files(path: Path) -> Iterator[Path]:
    """A file, or all files in a folder."""
    return (file for file in (path, *path.rglob("*")) if file.is_file())


def check_data(runs: Iterable[RecordedRun]) -> None:
    """Refuse runs of one data set that saw different histories."""
    first: dict[str, RecordedRun] = {}
    for run in runs:
        other = first.setdefault(run.dataset, run)
        if run.data != other.data:
            raise InputError(
                f"{run.id} was trained on other histories than {other.id} ({run.data}, "
                f"{other.data}); runs on one data set must use the same"
            )
