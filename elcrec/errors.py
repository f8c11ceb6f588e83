"""Bad input, and how its message is worded: the value, its key and what may have been meant."""

import datetime
import difflib
import math
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_cut = reprlib.Repr()
_cut.maxstring = _cut.maxother = 80
_cut.maxlist = _cut.maxdict = _cut.maxset = 4


class InputError(Exception):
    """Bad input; the message is one line that names the file, key or line and what is allowed."""


class WriteError(InputError):
    """A file or folder could not be created or written; what was there before is unchanged."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Wrap code that creates or writes `path`: an `OSError` becomes a `WriteError`."""
    try:
        yield
    except OSError as error:
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        reason = (
            "a file or a broken link is where a folder must be"
            if in_the_way
            else error.strerror or error
        )
        raise WriteError(f"{path}: cannot be written: {reason}") from error


def at_least(least: int, settings: object, *names: str) -> None:
    """For `__post_init__`: ValueError if one of the fields is less than `least`."""
    for name in names:
        if getattr(settings, name) < least:
            raise ValueError(f"{name} must be {least} or more, got {getattr(settings, name)}")


def shown(value: Any) -> str:
    """A value on one line, as YAML writes it where Python differs; long ones are cut."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, datetime.date):
        return f"the date {value} (in quotes it is a text)"
    try:
        return _cut.repr(value)
    except ValueError:  # Python refuses to print integers of thousands of digits
        return "an integer of thousands of digits"


def in_line(text: str) -> str:
    """The same for a text, without quotes."""
    return shown(text)[1:-1]


def brief(text: str) -> str:
    """A text on one line, without quotes; long ones are cut."""
    plain = text.isprintable() and len(text) <= _cut.maxstring
    return text if plain else in_line(text)


def relative_to(path: Path) -> str:
    """What to add to a message that a path does not exist; nothing for an absolute path."""
    return "" if path.is_absolute() else f" (relative to the working directory {Path.cwd()})"


def dotted(path: Iterable[str | int]) -> str:
    """A key path on one line: `figures.ablation.models[0]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{brief(key) or shown(key)}"
    return text.removeprefix(".") or "top level"


def quotes_hint(value: Any, allowed: str) -> str:
    """Hint for a text where a number or boolean is expected, or the other way round."""
    hint = " (write it without quotes)"
    if isinstance(value, bool | int | float):
        return " (write it in quotes)" if allowed.startswith("a text") else ""
    if not isinstance(value, str):
        return ""
    if "true or false" in allowed:
        return hint if value in ("true", "false") else ""
    try:
        number = "number" in allowed or "integer" in allowed
        return hint if number and math.isfinite(float(value)) else ""
    except ValueError:
        return ""


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """The known word most similar to the wrong one, in parentheses; empty if none is similar."""
    matches = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean '{matches[0]}'?)" if matches else ""


def unknown(what: str, word: Any, known: Iterable[str], which: str = "known") -> str:
    """`unknown model 'elcerc' (did you mean 'elcrec'?); known: …`."""
    names = sorted(known)
    return f"unknown {what} {shown(word)}{did_you_mean(word, names)}; {which}: {', '.join(names)}"


def unknown_key(key: Any, allowed: Iterable[str]) -> str:
    """`unknown key (did you mean 'seeds'?); allowed: …`, to follow the key."""
    names = sorted(allowed)
    return f"unknown key{did_you_mean(key, names)}; allowed: {', '.join(names)}"
