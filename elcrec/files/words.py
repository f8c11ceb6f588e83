"""Words around numbers: captions, claims and remarks, in YAML files of Jinja templates.

Code that computes returns numbers; what a reader is told about them is in these files only.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from elcrec.files.yamlfile import read_yaml


def rendered(path: Path, key: str, part: str, numbers: Mapping[str, Any]) -> str:
    """Render a text of a file as one line.

    Args:
        path: The file: key to part to text.
        key: Whose text.
        part: Which of its texts.
        numbers: Values that the text refers to; `listed`, `each` and `less` are filters.

    Raises:
        jinja2.UndefinedError: The text needs a number that is not given.
    """
    template = _environment().from_string(read_yaml(path)[key][part])
    return re.sub(r"[ \n]+", " ", template.render(numbers)).strip()


@functools.cache
def _environment() -> jinja2.Environment:
    # The page escapes what it shows; Markdown uses the same text as it is.
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters |= {"listed": listed, "each": _each, "less": _less}
    return environment


def listed(items: Sequence[str], most: int = 4) -> str:
    """Join items for a sentence; if there are many, the first ones and how many more."""
    parts = list(items[:most])
    if len(items) > most:
        parts.append(f"{len(items) - most} more")
    return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _each(items: Iterable[Mapping[str, Any]], form: str) -> list[str]:
    """Each of the items in the same words, a pattern of `str.format`."""
    return [form.format_map(item) for item in items]


def _less(ratio: float) -> str:
    """`7.2% less` or `3.0% more` for a ratio to the baseline."""
    return f"{abs(1 - ratio):.1%} {'less' if ratio < 1 else 'more'}"
