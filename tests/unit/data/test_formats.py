"""Raw formats: what is read from a right file, and the line named for a wrong one."""

import bz2
import gzip
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from elcrec.data.formats import read_interactions

AMAZON = '{"reviewerID": "A1", "asin": "B1", "unixReviewTime": 20, "overall": 1.0}\n'
YELP = '{"user_id": "u", "business_id": "b", "stars": 1.0, "date": "2019-05-06 07:08:09"}\n'
MIND = "1\tu\t11/11/2019 9:05:58 AM\tb c\td-0 e-1\n"
HEADER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
FORMATS = {
    "amazon-reviews": AMAZON,
    "yelp-reviews": YELP,
    "movielens": "u\tb\t3\t88\n",
    "recbole-inter": HEADER + "u\tb\t3\t88\n",
    "csv": "userId,movieId,rating,timestamp\nu,b,3.5,88\n",
    "sasrec-text": "u b\n",
    "mind-behaviors": MIND,
}


def rows(path: Path, format: str, member: str | None = None) -> list[tuple]:
    """User, item and time."""
    frame = read_interactions(path, format, member)
    assert list(frame.columns) == ["user", "item", "time", "rating"]
    return list(frame[["user", "item", "time"]].itertuples(index=False, name=None))


@pytest.fixture
def raw(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "raw"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_amazon_keeps_every_rating_in_file_order(raw) -> None:
    path = raw(AMAZON + AMAZON.replace("A1", "A2").replace("20", "10") + AMAZON)
    assert rows(path, "amazon-reviews") == [("A1", "B1", 20), ("A2", "B1", 10), ("A1", "B1", 20)]


def test_yelp_is_cut_to_2019_as_text(raw) -> None:
    dates = [
        "2018-12-31 23:59:59",
        "2019-01-01 00:00:00",
        "2019-12-30 23:59:59",
        "2019-12-31 00:00:00",
        "2019-12-31 00:00:01",
        "2020-01-01 00:00:00",
    ]
    path = raw("".join(YELP.replace("2019-05-06 07:08:09", date) for date in dates))
    times = [time for _, _, time in rows(path, "yelp-reviews")]
    assert times == [20190101000000, 20191230235959, 20191231000000]


@pytest.mark.parametrize("content", ["u\tb\t3\t88\nv\tNA\t1\t7\n", "u::b::3::88\nv::NA::1::7"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_movielens(raw, content: str, end: str) -> None:
    path = raw(content.replace("\n", end))
    assert rows(path, "movielens") == [("u", "b", 88), ("v", "NA", 7)]


def test_recbole_finds_its_columns_by_name(raw) -> None:
    path = raw("timestamp:float\titem_id:token\tuser_id:token\n8.5e1\t007\t1\n3\t7\t1\n")
    assert rows(path, "recbole-inter") == [("1", "007", 85.0), ("1", "7", 3.0)]


def test_sasrec_text_is_in_order_of_its_lines(raw) -> None:
    path = raw("7 3\r\n7 1 \n9 3\n7 2")  # a space at the end, as SASRec's own reader allows
    assert rows(path, "sasrec-text") == [("7", "3", 0), ("7", "1", 1), ("9", "3", 2), ("7", "2", 3)]


@pytest.mark.parametrize("format", FORMATS)
def test_plain_gzip_and_zip_are_told_by_their_content(tmp_path: Path, raw, format: str) -> None:
    content = FORMATS[format].encode()
    plain = rows(raw(content), format)
    packed, archive = tmp_path / "a.dat", tmp_path / "b.dat"
    packed.write_bytes(gzip.compress(content))
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("in/side", content)
    assert plain == rows(packed, format) == rows(archive, format, "in/side")
    # `member` is no obstacle to one who has unpacked the archive.
    assert plain == rows(raw(content), format, "in/side")


@pytest.mark.parametrize(
    ("format", "second", "words"),
    [
        ("amazon-reviews", "", ["not valid JSON", "reviewerID"]),
        ("amazon-reviews", AMAZON[:30], ["not valid JSON", "unixReviewTime"]),
        ("amazon-reviews", '{"asin": "B", "unixReviewTime": 3}', ["fields", "reviewerID"]),
        ("amazon-reviews", "[1, 2]", ["fields", "asin"]),
        ("amazon-reviews", "7", ["fields", "asin"]),
        ("amazon-reviews", b"\xff\xfe", ["not valid JSON"]),
        ("amazon-reviews", AMAZON.replace("20", '"20"'), ["unixReviewTime", "'20'"]),
        ("amazon-reviews", AMAZON.replace("20", "2.5"), ["unixReviewTime", "2.5"]),
        ("amazon-reviews", AMAZON.replace("20", "NaN"), ["unixReviewTime", "nan"]),
        ("amazon-reviews", AMAZON.replace("20", "9" * 30), ["unixReviewTime"]),
        ("amazon-reviews", AMAZON.replace('"A1"', "1"), ["reviewerID must be text", "1"]),
        ("amazon-reviews", AMAZON.replace('"B1"', '""'), ["asin must be text"]),
        ("yelp-reviews", YELP.replace("2019-05-06 07", "06/05/2019 07"), ["date", "YYYY-MM-DD"]),
        ("yelp-reviews", YELP.replace('"2019-05-06 07:08:09"', "3"), ["date", "3"]),
        ("yelp-reviews", '{"user_id": "u"}', ["business_id", "date"]),
        ("movielens", "", ["0 columns", "4 columns"]),
        ("movielens", "u\tb\t3", ["3 columns", "user, item, rating, time", "tabs"]),
        ("movielens", "u\tb\t3\t4\t5", ["5 columns"]),
        ("movielens", "u\tb\t3\tsoon", ["time 'soon' is not a number"]),
        ("movielens", "u\tb\t3\t", ["time '' is not a number"]),
        ("movielens", "u\tb\t3\tinf", ["time 'inf'"]),
        ("movielens", "\tb\t3\t5", ["empty user or item"]),
        ("movielens", b"u\tb\xff\t3\t5", ["not UTF-8"]),
        ("movielens", b"u\tb\0\t3\t5", ["binary"]),
        ("recbole-inter", "u\tb\t3", ["3 columns; expected 4"]),
        ("recbole-inter", "u\tb\t3\tx", ["time 'x'"]),
        ("csv", "u,b,3", ["3 columns; expected 4"]),
        ("csv", "u,b,3,4,5", ["5 columns; expected 4"]),
        ("csv", "u,b,3,x", ["time 'x'"]),
        ("csv", "u,b,3,", ["time '' is not a number"]),
        ("csv", "u,,3,4", ["an empty item"]),
        ("csv", "u,b,good,4", ["rating 'good' is not a number"]),
        ("sasrec-text", "u", ["1 columns", "2 columns (user, item) separated by a space"]),
        ("sasrec-text", "u b 3", ["3 columns"]),
        ("sasrec-text", "", ["0 columns"]),
        ("sasrec-text", " b", ["empty user or item"]),
        ("sasrec-text", b"u \xff", ["not UTF-8"]),
        ("mind-behaviors", "", ["0 columns", "impression, user, time, history, impressions"]),
        ("mind-behaviors", "1\tu\t11/11/2019 9:05:58 AM\tb", ["4 columns", "tabs"]),
        ("mind-behaviors", MIND.replace("\tu\t", "\t\t"), ["an empty user"]),
        ("mind-behaviors", MIND.replace(" AM", ""), ["time must be MM/DD/YYYY", "9:05:58"]),
        ("mind-behaviors", MIND.replace("11/11", "13/11"), ["time must be", "13/11/2019"]),
        ("mind-behaviors", MIND.replace("e-1", "e-2"), ["-1 (clicked) or -0", "'e-2'"]),
        ("mind-behaviors", MIND.replace("e-1", "e"), ["'e'"]),
        ("mind-behaviors", MIND.encode().replace(b"b c", b"\xff"), ["not UTF-8"]),
    ],
)
def test_wrong_line(raw, refused, format: str, second: str | bytes, words: list[str]) -> None:
    good = FORMATS[format].encode()
    line = second.encode() if isinstance(second, str) else second
    path = raw(good + line.rstrip(b"\n") + b"\n" + good.splitlines(keepends=True)[-1])
    message = refused(read_interactions, path, format)
    number = good.count(b"\n") + 1
    assert message.startswith(f"{path}, line {number}: ")
    assert all(word in message for word in words), message


def test_a_column_too_many_here_and_too_few_there(raw, refused) -> None:
    path = raw("u\tb\t3\t4\nu\tb\t3\t4\t5\nu\tb\t3\n")
    assert f"{path}, line 2: 5 columns" in refused(read_interactions, path, "movielens")


def test_a_column_too_many_everywhere(raw, refused) -> None:
    path = raw("u\tb\t3\t4\t5\n" * 3)
    assert f"{path}, line 1: 5 columns" in refused(read_interactions, path, "movielens")


def test_recbole_header(raw, refused) -> None:
    path = raw("user_id:token\titem_id:token\n1\t2\n")
    message = refused(read_interactions, path, "recbole-inter")
    assert f"{path}, line 1: " in message
    assert "no column for the time" in message


@pytest.mark.parametrize("format", FORMATS)
def test_empty_file(raw, refused, format: str) -> None:
    path = raw({"recbole-inter": HEADER, "csv": "user,item,time\n"}.get(format, ""))
    assert str(path) in refused(read_interactions, path, format)


def test_no_review_in_the_year(raw, refused) -> None:
    path = raw(YELP.replace("2019", "2018"))
    message = refused(read_interactions, path, "yelp-reviews")
    assert f"{path}: none of its 1 reviews is from 2019-01-01" in message


@pytest.mark.parametrize(
    ("format", "rating"),
    [("amazon-reviews", 1), ("yelp-reviews", 1), ("movielens", 3), ("recbole-inter", 3)],
)
def test_ratings_are_read(raw, format: str, rating: float) -> None:
    assert read_interactions(raw(FORMATS[format]), format)["rating"].tolist() == [rating]


@pytest.mark.parametrize("format", ["movielens", "recbole-inter"])
def test_whole_numbers_stay_whole(raw, format: str) -> None:
    """Two times that one float64 would hold: 2**53 and the number after it."""
    header = HEADER if format == "recbole-inter" else ""
    path = raw(f"{header}u\ta\t3\t9007199254740993\nu\tb\t3\t9007199254740992\n")
    assert rows(path, format) == [("u", "a", 2**53 + 1), ("u", "b", 2**53)]


@pytest.mark.parametrize("format", ["movielens", "recbole-inter"])
def test_numbers_that_cannot_be_kept_exactly_are_refused(raw, refused, format: str) -> None:
    header = HEADER if format == "recbole-inter" else ""
    huge = raw(f"{header}u\ta\t3\t{'9' * 30}\n")
    assert "9" * 30 in refused(read_interactions, huge, format)
    mixed = raw(f"{header}u\ta\t3\t9007199254740993\nu\tb\t3\t0.5\n")
    assert "exactly" in refused(read_interactions, mixed, format)


@pytest.mark.parametrize("format", FORMATS)
def test_missing_file(tmp_path: Path, refused, format: str) -> None:
    message = refused(read_interactions, tmp_path / "none", format)
    assert f"{tmp_path / 'none'}: cannot be read" in message


@pytest.mark.parametrize("format", FORMATS)
def test_truncated_gzip(raw, refused, format: str) -> None:
    content = FORMATS[format] + FORMATS[format].splitlines(keepends=True)[-1] * 200
    path = raw(gzip.compress(content.encode())[:-12])
    message = refused(read_interactions, path, format)
    assert str(path) in message
    assert "damaged or cut short" in message
    if "reviews" in format:
        assert ", line " in message


def test_zip_without_the_member(tmp_path: Path, refused) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("other", "1")
    message = refused(read_interactions, path, "movielens", "u.data")
    assert all(word in message for word in (str(path), "other", "u.data"))


@pytest.mark.parametrize("inside", ["u.data", "ml/u.data"])
def test_a_member_of_a_tar_archive(tmp_path: Path, refused, inside: str) -> None:
    path = tmp_path / "a.tar.gz"
    (tmp_path / "u.data").write_text(FORMATS["movielens"])
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "u.data", inside)
        archive.add(tmp_path / "u.data", "ml/other")
    assert rows(path, "movielens", "u.data") == [("u", "b", 88)]
    message = refused(read_interactions, path, "movielens", "v.data")
    assert all(word in message for word in (str(path), "'v.data'", "ml/other"))


def test_a_tar_archive_that_is_cut_short(tmp_path: Path, refused) -> None:
    path, content = tmp_path / "a.tar.gz", random.Random(0).randbytes(5000)
    (tmp_path / "u.data").write_bytes(content)
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "u.data", "u.data")
    path.write_bytes(path.read_bytes()[:2500])
    message = refused(read_interactions, path, "movielens", "u.data")
    assert "damaged or cut short" in message


@pytest.mark.parametrize("inside", ["behaviors.tsv", "MINDsmall_train/behaviors.tsv"])
def test_a_member_is_found_in_whatever_folder(tmp_path: Path, inside: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("MINDsmall_train/news.tsv", "1")
        opened.writestr("__MACOSX/._behaviors.tsv", "1")
        opened.writestr(inside, MIND)
    assert [item for _, item, _ in rows(path, "mind-behaviors", "behaviors.tsv")] == ["b", "c", "e"]


def test_a_member_that_two_folders_have_is_refused(tmp_path: Path, refused) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("train/behaviors.tsv", MIND)
        opened.writestr("dev/behaviors.tsv", MIND)
    message = refused(read_interactions, path, "mind-behaviors", "behaviors.tsv")
    assert "train/behaviors.tsv" in message
    assert "dev/behaviors.tsv" in message


def test_the_only_file_of_an_archive_needs_no_name(tmp_path: Path, refused) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/u.data", FORMATS["movielens"])
    assert rows(path, "movielens") == rows(path, "movielens", "u.data") == [("u", "b", 88)]
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("__MACOSX/folder/._u.data", "folder/.DS_Store"):  # macOS packs them, too
            archive.writestr(name, "1")
    assert rows(path, "movielens") == [("u", "b", 88)]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other", "")
    message = refused(read_interactions, path, "movielens")
    assert f"{path}: has several files; name one with `member`: 'folder/u.data', 'other'" in message
    assert "has no 'x'; name one" in refused(read_interactions, path, "movielens", "x")
    (tmp_path / "u.data").write_text(FORMATS["movielens"])
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "u.data", "u.data")
    assert rows(tmp_path / "a.tar.gz", "movielens") == [("u", "b", 88)]


def test_archives_as_people_pack_them(tmp_path: Path, refused) -> None:
    (tmp_path / "u.data").write_text(FORMATS["movielens"])
    (tmp_path / "u.gz").write_bytes(gzip.compress(FORMATS["movielens"].encode()))
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        packed.add(tmp_path / "u.data", "u.data")
    with zipfile.ZipFile(tmp_path / "gz.zip", "w") as archive:
        archive.write(tmp_path / "u.gz", "u.data.gz")
    for path in (tmp_path / "a.tar", tmp_path / "gz.zip"):
        assert rows(path, "movielens") == [("u", "b", 88)]
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "u.data", "a/u.data")
        archive.write(tmp_path / "u.data", "b/u.data")
        archive.write(tmp_path / "u.data", "c/else")
    assert "has 'u.data' in 2 folders; name one with `member`: 'a/u.data', 'b/u.data'" in refused(
        read_interactions, path, "movielens", "u.data"
    )
    assert rows(path, "movielens", "b/u.data") == [("u", "b", 88)]
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert refused(read_interactions, tmp_path / "empty.zip", "movielens").endswith(
        "empty.zip: an archive with no file in it"
    )


@pytest.mark.parametrize(("module", "what"), [(bz2, "bzip2"), (lzma, "xz")])
def test_other_archives_are_named(tmp_path: Path, refused, module, what: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(module.compress(FORMATS["movielens"].encode()))
    message = refused(read_interactions, path, "movielens")
    assert message == f"{path}: is in {what} format; allowed: plain text, gzip, zip, tar or tar.gz"
