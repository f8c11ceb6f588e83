"""Readers, on hand-made files in the exact formats."""

import gzip

import numpy as np
import pytest

from elcrec.errors import InputError
from elcrec.industrial.readers import CENSUS_HEADER, KUAIRAND_TASKS, read_log
from tests.unit.industrial.logs import KUAIRAND, RATINGS, census, kuairand, ml100k, person


def test_ml_100k(tmp_path):
    log = read_log("ml-100k", ml100k(tmp_path))
    assert log.tasks == ("liked", "loved")
    assert len(log.rows) == len(RATINGS)
    assert log.rows["liked"].tolist()[:4] == [1.0, 0.0, 1.0, 1.0]  # ratings of 5, 2, 4, 4
    assert log.rows["loved"].tolist()[:4] == [1.0, 0.0, 0.0, 0.0]
    assert log.users.loc["1"].to_dict() == {
        **{"age": 20.0, "gender": "M", "occupation": "writer", "zip_code": "0"}
    }
    assert log.items.loc["b"].to_dict() == {"release_year": 1991, "Drama": 1.0, "Sci-Fi": 1.0}
    assert log.test is None


def test_ml_100k_a_film_without_a_year_and_genres(tmp_path):
    paths = ml100k(tmp_path)
    paths["item"].write_text(paths["item"].read_text() + "z\tunknown\tV\t\n")
    film = read_log("ml-100k", paths).items.loc["z"]
    assert np.isnan(film["release_year"])
    assert film[["Drama", "Sci-Fi"]].tolist() == [0.0, 0.0]


def test_ml_100k_a_rating_that_is_no_number(tmp_path):
    paths = ml100k(tmp_path)
    paths["inter"].write_text(paths["inter"].read_text().replace("2\ta\t4", "2\ta\tfour"))
    with pytest.raises(InputError, match=r"ml-100k\.inter, line 4: rating 'four' is not a number"):
        read_log("ml-100k", paths)


def test_kuairand_has_both_logs_and_dated_attributes_only(tmp_path):
    log = read_log("kuairand-pure", kuairand(tmp_path))
    assert log.tasks == KUAIRAND_TASKS == ("is_click", "long_view", "is_like", "is_follow")
    assert log.rows["user"].tolist() == ["0", "1", "0"]
    assert log.rows["time"].tolist() == [1649620801301, 1649620901301, 1650643201301]
    assert log.rows[list(log.tasks)].to_numpy().tolist() == [
        *([1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1])
    ]
    assert log.rows["hour"].tolist() == ["04", "23", "00"]
    assert log.context == ("hour", "tab")
    assert "user_active_degree" not in log.users
    assert not [name for name in log.users if "follow" in name]
    assert log.users.loc["0", "register_days_range"] == "730+"
    assert log.items["tag"].to_dict() == {"3784": "12", "3785": ""}
    assert log.items["video_duration"].tolist() == pytest.approx(
        [np.log1p(17200), np.nan], nan_ok=True
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        (
            "log_standard_4_22_to_5_08_pure.csv",
            "1650643201301,1,1",
            "1650643201301,1,2",
            ["4_22_to_5_08_pure.csv, line 2", "is_like must be 0 or 1"],
        ),
        (
            "log_standard_4_08_to_4_21_pure.csv",
            "long_view",
            "longview",
            ["line 1: no column long_view"],
        ),
        ("user_features_pure.csv", "user_id,", "uid,", ["line 1: no column user_id"]),
    ],
)
def test_kuairand_a_wrong_file_is_one_line(tmp_path, name, old, new, words):
    files = {**KUAIRAND, name: KUAIRAND[name].replace(old, new)}
    with pytest.raises(InputError) as caught:
        read_log("kuairand-pure", kuairand(tmp_path, files))
    assert all(word in str(caught.value) for word in ["KuaiRand-Pure.tar.gz", *words])


def test_kuairand_a_file_that_the_archive_lacks(tmp_path):
    files = {name: text for name, text in KUAIRAND.items() if "user" not in name}
    with pytest.raises(InputError, match=r"tar\.gz: has no 'user_features_pure\.csv'"):
        read_log("kuairand-pure", kuairand(tmp_path, files))


def test_census_income(tmp_path):
    log = read_log("census-income", census(tmp_path, people=4))
    assert log.tasks == ("income", "never married")
    assert log.rows["income"].tolist() == [1, 1, 0, 0] * 2
    assert log.rows["never married"].tolist() == [0, 1, 0, 1] * 2
    assert log.test is not None
    assert log.test.tolist() == [False] * 4 + [True] * 4
    assert set(CENSUS_HEADER) - set(log.context) == {
        *("instance_weight", "marital_stat", "income_50k")
    }
    first = log.rows.iloc[0]
    assert (first["age"], first["stock_dividends"], first["weeks_worked"]) == (20.0, 2500.0, 12.0)
    assert first["citizenship"] == "Foreign born- Not a citizen of U S"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("38, Private", "line 1: 2 columns; expected 42: age"),
        (person(20, True, True).replace("50000+.", "60000"), r"line 1: the last column must be"),
        (person(20, True, True).replace("20,", "old,", 1), "line 1: age 'old' is not a number"),
    ],
)
def test_census_a_wrong_line(tmp_path, line, words):
    paths = census(tmp_path)
    paths["train"].write_bytes(gzip.compress(f"{line}\n".encode()))
    with pytest.raises(InputError, match=words):
        read_log("census-income", paths)
