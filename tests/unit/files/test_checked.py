"""What pydantic refuses is one line in plain words: source, key, what is allowed and found."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from elcrec.errors import InputError
from elcrec.files.checked import (
    FilePath,
    Line,
    Record,
    Section,
    Some,
    Text,
    Unique,
    check,
    converted,
    in_file,
    matching,
)

WHERE = in_file(Path("some.yaml"))
Word = Annotated[str, matching("^[a-z]+$", "a word of small letters")]


class Inner(Section):
    size: Annotated[int, Field(ge=1, le=9)] = 3
    name: Text | None = None

    @model_validator(mode="after")
    def _is_odd(self) -> "Inner":
        if self.size % 2 == 0:
            raise ValueError(f"size must be odd, got {self.size}")
        return self


class Outer(Section):
    inner: Inner = Inner()
    maybe: Inner | None = None
    ratio: Annotated[float, Field(ge=0)] = 0.5
    kind: Literal["plain", "native"] = "plain"
    words: Unique[Word] = []
    seeds: Some[int] = [1]
    by_word: dict[Word, dict[str, Any]] = {}
    either: int | None
    flag: bool = False
    folder: FilePath = Path(".")


def refusal(values: object, kind: type[Section] = Outer) -> str:
    with pytest.raises(InputError) as caught:
        check(kind, values, WHERE)
    message = str(caught.value)
    assert message.splitlines() == [message]
    message.encode()
    assert message.startswith("some.yaml: ")
    return message.removeprefix("some.yaml: ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iner": {}}, "iner: unknown key (did you mean 'inner'?); allowed: by_word, "),
        (
            {"inner": {"sizes": 1}},
            "inner.sizes: unknown key (did you mean 'size'?); allowed: name, ",
        ),
        (
            {"maybe": {"sizes": 1}},
            "maybe.sizes: unknown key (did you mean 'size'?); allowed: name, ",
        ),
        ({"inner": 3}, "inner: must be a mapping of keys to values, got 3"),
        ({"inner": {"size": 0}}, "inner.size: must be an integer from 1 to 9, got 0"),
        ({"inner": {"size": True}}, "inner.size: must be an integer from 1 to 9, got true"),
        ({"inner": {"size": 1.0}}, "inner.size: must be an integer from 1 to 9, got 1.0"),
        ({"inner": {"size": "1"}}, "inner.size: must be an integer from 1 to 9, got '1' (write it"),
        ({"inner": {"size": 4}}, "inner: size must be odd, got 4"),
        ({"maybe": {"size": 10}}, "maybe.size: must be an integer from 1 to 9, got 10"),
        ({"inner": {"name": ""}}, "inner.name: must be a text that is not empty, got ''"),
        ({"ratio": -1}, "ratio: must be a number, 0 or more, got -1"),
        ({"ratio": float("nan")}, "ratio: must be a number, 0 or more, got .nan"),
        ({"ratio": 10**400}, "ratio: must be a number, 0 or more, got 1000"),
        ({"ratio": "1e-5"}, "ratio: must be a number, 0 or more, got '1e-5' (write it without"),
        ({"kind": "both"}, "kind: must be one of plain, native, got 'both'"),
        ({"kind": ["plain"]}, "kind: must be one of plain, native, got ['plain']"),
        ({"words": "a"}, "words: must be a list, each a word of small letters, got 'a'"),
        ({"words": {"a", "b"}}, "words: must be a list, each a word of small letters, got {"),
        ({"words": ["a", "B"]}, "words[1]: must be a word of small letters, got 'B'"),
        ({"words": ["a", "b", "a"]}, "words: must not repeat a value, got 'a' at [0] and [2]"),
        ({"seeds": []}, "seeds: must be a list of at least one entry, each an integer, got []"),
        ({"by_word": {"A": {}}}, "by_word.A: the name must be a word of small letters"),
        ({"by_word": {"a": 1}}, "by_word.a: must be a mapping of keys to values, got 1"),
        ({"either": "x"}, "either: must be an integer or nothing, got 'x'"),
        ({"flag": 1}, "flag: must be true or false, got 1"),
        ({"folder": ""}, "folder: must be a text that is not empty, got ''"),
        ({"folder": ["a"]}, "folder: must be a text that is not empty, got ['a']"),
        ({"kind\ud800": "plain"}, "top level: must have keys and texts of Unicode characters only"),
        ({"by_word": {"\ud800": {}}}, "by_word: must have keys and texts of Unicode characters"),
    ],
)
def test_the_key_what_is_allowed_and_what_was_found(changes, message):
    assert refusal({"either": 1} | changes).startswith(message)


def test_a_missing_key_and_another_kind_of_content():
    assert refusal({}) == "top level: the key 'either' is missing"
    assert refusal([1]) == "top level: must be a mapping of keys to values, got [1]"


def test_the_outermost_of_several_mistakes_is_told():
    assert refusal({"either": 1, "inner": {"size": 0}, "flag": 2}).startswith("flag: ")


def test_what_is_right_comes_as_it_was_written(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    made = check(Outer, {"either": None, "ratio": 1, "folder": "~/a", "inner": {"size": 5}}, WHERE)
    assert (made.either, made.ratio, made.folder, made.inner.size) == (
        None,
        1.0,
        Path("/home/anna/a"),
        5,
    )
    assert made.kind == "plain"
    with pytest.raises(ValidationError, match="frozen"):
        made.flag = True
    other = made.replaced(flag=True)
    assert (other.flag, other.folder, made.flag) == (True, made.folder, False)


def test_a_type_that_is_no_model():
    assert check(tuple[int, ...] | None, None, WHERE) is None
    with pytest.raises(
        InputError, match=r"^some\.yaml: \[1\]\.size: must be an integer from 1 to 9"
    ):
        check(list[Inner], [{}, {"size": "x"}], WHERE)


class Told(Record):
    commit: Line | None
    seconds: int = Field(alias="wall_seconds")


def test_a_record_may_have_more_than_is_read():
    made = check(Told, {"commit": None, "wall_seconds": 3, "other": [1]}, WHERE)
    assert (made.commit, made.seconds) == (None, 3)
    assert "wall_seconds: must be an integer" in refusal({"commit": None, "wall_seconds": ""}, Told)


@pytest.mark.parametrize("text", ["", " ", "a\nb", "\0", "\x7f", 3])
def test_a_text_of_one_line(text):
    wrong = refusal({"commit": text, "wall_seconds": 1}, Told)
    assert wrong.startswith("commit: must be a text of one line or nothing, got ")


@pytest.mark.parametrize("text", ["a", " a b ", "é", "=1+1"])
def test_texts_of_one_line_that_are_taken(text):
    assert check(Told, {"commit": text, "wall_seconds": 1}, WHERE).commit == text


class Data(Section):
    name: Line | None = None
    min_rating: float | None = None


class Wanted(Section):
    use: list[Text] = []
    seeds: list[int] = []
    training: dict[str, Any] = {}
    output: FilePath = Path("results")
    keep: bool = False
    data: dict[str, Data] = {}
    columns: list[Text | int] = []


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"seeds": ["1", "2"]}, {"seeds": [1, 2]}),
        ({"training": {"lr": "1e-5", "n": None}}, {"training": {"lr": 1e-5, "n": None}}),
        ({"training": {"n": "null", "on": "true"}}, {"training": {"n": None, "on": True}}),
        ({"training": {"text": "a: b", "day": "2026-01-01"}}, None),
        ({"keep": "true"}, {"keep": True}),
        ({"use": ["2024", "true", "null", "beauty"]}, None),  # names, whatever they look like
        ({"use": [2024, True]}, {"use": ["2024", "true"]}),
        ({"output": 2024}, {"output": "2024"}),
        (
            {"data": {"2024": {"name": "2024", "min_rating": "4"}}},
            {"data": {"2024": {"name": "2024", "min_rating": 4}}},
        ),
        ({"data": {"a": {"min_rating": "null"}}}, {"data": {"a": {"min_rating": None}}}),
        ({"columns": ["3", "user"]}, {"columns": [3, "user"]}),
        ({"seeds": ["x"], "unknown": ["1"]}, {"seeds": ["x"], "unknown": [1]}),
        ({"seeds": ""}, None),
    ],
)
def test_texts_become_what_is_wanted_in_their_place(given, wanted):
    assert converted(Wanted, given) == (given if wanted is None else wanted)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds": ["1"]}, "seeds[0]: must be an integer, got '1' (write it without quotes)"),
        ({"keep": "true"}, "keep: must be true or false, got 'true' (write it without quotes)"),
        ({"data": {"a": {"name": 2024}}}, "got 2024 (write it in quotes)"),
        ({"data": {"a": {"name": False}}}, "got false (write it in quotes)"),
    ],
)
def test_quotes_are_named_where_they_decide(given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        check(Wanted, given, in_file(Path("f")))
