"""The JSON schema for editors has every key of the shipped files, with what it means."""

import json
import subprocess
import sys

import pytest

from elcrec.config.config import DEFAULT, MODEL_FOLDER
from elcrec.config.schema import schema
from elcrec.files.yamlfile import read_yaml


@pytest.mark.parametrize(
    ("kind", "path"), [("config", DEFAULT), ("model", MODEL_FOLDER / "elcrec.yaml")]
)
def test_it_has_the_keys_of_shipped_files(kind, path):
    made = json.loads(schema(kind))
    assert set(read_yaml(path)) <= set(made["properties"])
    assert made["additionalProperties"] is False


def test_it_says_what_a_key_means_and_allows():
    threads = json.loads(schema("config"))["properties"]["threads"]
    assert threads["description"] == "CPU threads of one training job."
    assert (threads["minimum"], threads["maximum"], threads["default"]) == (1, 1024, 2)


def test_the_command_prints_it():
    command = [sys.executable, "-m", "elcrec.config.schema", "model"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "base" in json.loads(done.stdout)["properties"]
