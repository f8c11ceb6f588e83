from pathlib import Path

import pytest

from tests.unit.data.conftest import entry_of

CONFIG = {
    "name": "Small",
    "sha256": "AB" * 32,
    "counts": {"users": 2, "items": 6, "actions": 9},
    "sources": [
        {"format": "amazon-reviews", "file": "a.json.gz", "urls": ["http://a", "http://b"]},
        {"format": "sequences", "file": "a.txt", "size": 10, "sha256": "cd" * 32},
        {"format": "movielens", "file": "m.zip", "md5": "ef" * 16, "member": "m/u.data"},
        {"format": "recbole-inter", "file": "m.inter", "wheel": "r==1", "member": "r/m.inter"},
    ],
}


def test_all_keys_are_read() -> None:
    dataset = entry_of(CONFIG)
    assert (dataset.name, dataset.sha256) == ("Small", "ab" * 32)
    assert (dataset.counts.users, dataset.counts.items, dataset.counts.actions) == (2, 6, 9)
    amazon, text, movielens, wheel = dataset.sources
    assert amazon.urls == ["http://a", "http://b"]
    assert (text.format, text.size, text.sha256) == ("sequences", 10, "cd" * 32)
    assert (movielens.md5, movielens.member) == ("ef" * 16, "m/u.data")
    assert wheel.wheel == "r==1"


def test_a_file_of_ones_own_needs_only_its_path() -> None:
    dataset = entry_of({"path": "folder/my.txt"})
    (source,) = dataset.places
    assert dataset.name is dataset.sha256 is dataset.counts is None
    assert (source.path, source.name, source.format) == (
        Path("folder/my.txt"),
        "my.txt",
        "sequences",
    )


def test_a_raw_file_of_ones_own() -> None:
    dataset = entry_of({"path": "u.data", "format": "movielens"})
    assert dataset.places[0].format == "movielens"


def test_a_file_of_ones_own_goes_before_the_sources() -> None:
    dataset = entry_of({**CONFIG, "path": "d.json", "format": "yelp-reviews"})
    assert [source.name for source in dataset.places] == [
        "d.json",
        "a.json.gz",
        "a.txt",
        "m.zip",
        "m.inter",
    ]


FILE = {"format": "sequences", "file": "a"}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({}, ["datasets.small", "path", "sources"]),
        ({"pth": "a"}, ["datasets.small.pth", "unknown key", "path"]),
        ({"path": "a", "format": "parquet"}, ["format", "movielens", "csv"]),
        ({"path": "a", "sha256": "12"}, ["datasets.small.sha256", "64"]),
        ({"path": "a", "counts": {"user": 3}}, ["datasets.small.counts.user", "users"]),
        ({"path": "a", "counts": 3}, ["datasets.small.counts"]),
        ({"sources": [FILE, {**FILE, "urls": []}]}, ["datasets.small.sources[1].urls", "one"]),
        ({"sources": [FILE, {"format": "movielens"}]}, ["datasets.small.sources[1]", "file"]),
        ({"path": "https://example.org/x.txt"}, ["datasets.small.path", "address", "`urls`"]),
        ({"sources": [FILE | {"path": "file:///x.txt"}]}, ["sources[0].path", "a local file"]),
        ({"sources": [{**FILE, "file": "../a"}]}, ["sources[0]", "plain file name"]),
        ({"sources": [{**FILE, "md5": "zz"}]}, ["sources[0].md5", "32"]),
        ({"sources": [{**FILE, "url": "b"}]}, ["sources[0].url", "unknown key", "urls"]),
        ({"sources": [{**FILE, "wheel": "b==1"}]}, ["wheel", "member"]),
        ({"sources": ["a"]}, ["sources[0]", "a mapping of keys"]),
        ({"sources": [{"file": "a"}]}, ["sources[0]", "the key 'format' is missing"]),
        ({"path": ""}, ["datasets.small.path", "not empty"]),
    ],
)
def test_wrong_configuration(refused, mapping: dict, words: list[str]) -> None:
    message = refused(entry_of, mapping)
    assert all(word in message for word in words), message
