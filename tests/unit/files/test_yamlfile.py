"""YAML as people write it: numbers are numbers."""

import json

import pytest

from elcrec.files.yamlfile import as_typed, parse


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
    ],
)
def test_powers_of_ten_are_numbers_as_people_and_json_write_them(text, value):
    found = parse(f"a: {text}", "f")["a"]
    assert (found, type(found)) == (value, type(value))
    if isinstance(value, float):
        assert parse(f"a: {json.dumps(value)}", "f")["a"] == value


def test_texts_of_nested_options_are_read_as_they_were_typed():
    """What Snakemake makes of `--config 'seeds=[1]' 'training={max_epochs: 1, patience: 1e-1}'`."""
    given = {
        "seeds": ["1", "2"],
        "training": {"max_epochs": "1", "learning_rate": "1e-3"},
        "keep_checkpoints": "true",
        "threads": 1,
        "output": "here",
        "models": ["sasrec", "my.yaml"],
        "broken": "[1",
        "listed": "a: b",
        "day": "2026-01-01",
    }
    assert as_typed(given) == given | {
        "seeds": [1, 2],
        "training": {"max_epochs": 1, "learning_rate": 0.001},
        "keep_checkpoints": True,
    }
