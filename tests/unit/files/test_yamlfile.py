"""YAML as people write it: numbers are numbers."""

import json

import pytest

from elcrec.files.yamlfile import dump, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1e-05", 1e-5),
        ("1.0e-05", 1e-5),
        ("-2E3", -2000.0),
        (".5e1", 5.0),
        ("1e16", 1e16),
        ("1e", "1e"),
        ("e5", "e5"),
        ("1e5x", "1e5x"),
        ("'1e-5'", "1e-5"),
        ("010", 10),  # not octal
        ("-007", -7),
        ("1:30", "1:30"),  # not 90
        ("1:30.5", "1:30.5"),
        ("0x10", "0x10"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("+5", 5),
        ("1.", 1.0),
    ],
)
def test_powers_of_ten_are_numbers_as_people_and_json_write_them(text, value):
    found = parse(f"a: {text}", "f")["a"]
    assert (found, type(found)) == (value, type(value))
    if isinstance(value, float):
        assert parse(f"a: {json.dumps(value)}", "f")["a"] == value


@pytest.mark.parametrize(
    "value",
    [
        *("08", "010", "1e5", "1e-5", "1:30", "0x10", "+5", "true", "null", "", "a: b"),
        *(8, 1e-5, 1e16, True, None, ["08", 8], {"z": "1e5", "a": {"08": 1}}),
    ],
)
def test_what_is_dumped_is_read_as_it_was(value):
    found = parse(dump({"a": value}), "f")["a"]
    assert (found, type(found)) == (value, type(value))
    if isinstance(value, dict):
        assert list(found) == list(value)
