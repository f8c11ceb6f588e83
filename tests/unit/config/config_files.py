"""Configurations written for a test, and what is said of wrong ones."""

import pytest
import yaml

from elcrec.errors import InputError


def write(tmp_path, content, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def refusal(make, *arguments):
    """The message of the InputError that a call ends with; one line."""
    with pytest.raises(InputError) as caught:
        make(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message
