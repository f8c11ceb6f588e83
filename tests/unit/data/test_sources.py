from pathlib import Path

import pytest

from elcrec.data.sources import Dataset

CONFIG = {
    "name": "Small",
    "sha256": "AB" * 32,
    "counts": {"users": 2, "items": 6, "actions": 9},
    "sources": [
        {"format": "amazon-reviews", "file": "a.json.gz", "urls": ["http://a", "http://b"]},
        {"file": "a.txt", "size": 10, "sha256": "cd" * 32},
        {"format": "movielens", "file": "m.zip", "md5": "ef" * 16, "member": "m/u.data"},
        {"format": "recbole-inter", "file": "m.inter", "wheel": "r==1", "member": "r/m.inter"},
    ],
}


def test_all_keys_are_read() -> None:
    dataset = Dataset.from_config("small", CONFIG)
    assert (dataset.id, dataset.name, dataset.sha256) == ("small", "Small", "ab" * 32)
    amazon, text, movielens, wheel = dataset.sources
    assert amazon.urls == ("http://a", "http://b")
    assert (text.format, text.size, text.sha256) == ("sequences", 10, "cd" * 32)
    assert (movielens.md5, movielens.member) == ("ef" * 16, "m/u.data")
    assert wheel.wheel == "r==1"


def test_a_file_of_ones_own_needs_only_its_path() -> None:
    dataset = Dataset.from_config("mine", {"path": "folder/my.txt"})
    (source,) = dataset.sources
    assert dataset.name == "mine"
    assert dataset.sha256 is dataset.counts is None
    assert (source.path, source.file, source.format) == (
        Path("folder/my.txt"),
        "my.txt",
        "sequences",
    )


def test_a_raw_file_of_ones_own() -> None:
    dataset = Dataset.from_config("mine", {"path": "u.data", "format": "movielens"})
    assert dataset.sources[0].format == "movielens"


def test_a_file_of_ones_own_goes_before_the_sources() -> None:
    dataset = Dataset.from_config("small", {**CONFIG, "path": "d.json", "format": "yelp-reviews"})
    assert [source.file for source in dataset.sources] == [
        "d.json",
        "a.json.gz",
        "a.txt",
        "m.zip",
        "m.inter",
    ]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({}, ["datasets.small", "path", "sources"]),
        ({"pth": "a"}, ["datasets.small", "unknown key pth", "path"]),
        ({"path": "a", "format": "csv"}, ["format", "movielens", "csv"]),
        ({"path": "a", "sha256": "12"}, ["datasets.small", "sha256", "64"]),
        ({"path": "a", "counts": {"user": 3}}, ["datasets.small.counts", "user", "users"]),
        ({"path": "a", "counts": 3}, ["datasets.small.counts"]),
        ({"sources": [{"file": "a"}, {"urls": []}]}, ["datasets.small.sources[1]", "file"]),
        ({"sources": [{"file": "../a"}]}, ["sources[0]", "plain file name"]),
        ({"sources": [{"file": "a", "md5": "zz"}]}, ["sources[0]", "md5", "32"]),
        ({"sources": [{"file": "a", "url": "b"}]}, ["unknown key url", "urls"]),
        ({"sources": [{"file": "a", "wheel": "b==1"}]}, ["wheel", "member"]),
        ({"sources": ["a"]}, ["sources[0]", "expected keys"]),
    ],
)
def test_wrong_configuration(refused, mapping: dict, words: list[str]) -> None:
    message = refused(Dataset.from_config, "small", mapping)
    assert all(word in message for word in words), message
