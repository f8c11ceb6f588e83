"""Section `industrial`: what it asks for, and what it refuses."""

import re

import pytest

from elcrec.config.config import load_config
from elcrec.config.industrial import FILES
from tests.unit.config.config_files import refusal, write


def test_the_shipped_section():
    section = load_config().industrial
    assert section.use == ["ml-100k"]
    assert len(section.seeds) == 5
    assert section.network.clusters == 20  # of the paper
    assert (section.network.experts, section.network.expert_width) == (8, 16)  # Ma et al.
    assert {entry.format for entry in section.datasets.values()} == set(FILES)


def test_models_of_a_data_set():
    section = load_config().industrial
    assert section.models("ml-100k") == ["single", "mmoe", "mmoe_kmeans", "mmoe_elcm"]
    assert section.models("census-income") == ["single", "mmoe"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"use": ["ml-100"]}, r"industrial: use: unknown data set 'ml-100' \(did you mean"),
        ({"train": 0.8, "valid": 0.2}, r"industrial: train and valid must sum to less than 1"),
        ({"train": 1.5}, r"industrial\.train: must be a number from 0 to 1, got 1\.5"),
        ({"network": {"learning_rate": 0}}, r"learning_rate: must be a number from 1e-09 to 1, "),
        ({"network": {"experts": 0}}, r"industrial\.network\.experts: must be an integer, 1 or"),
        ({"network": {"expert": 8}}, r"industrial\.network\.expert: unknown key \(did you mean"),
        ({"datasets": {"ml-100k": {"format": "csv"}}}, r"format: must be one of ml-100k, kuair"),
        (
            {"datasets": {"ml-100k": {"files": {"items": {"file": "x"}}}}},
            r"industrial\.datasets\.ml-100k: files: must be inter, user, item",
        ),
    ],
)
def test_refusals(tmp_path, content, message):
    path = write(tmp_path, {"industrial": content})
    assert re.search(message, refusal(load_config, [path]))
