"""Fetching, with every failure that a network, a mirror or a disk can bring."""

import gzip
import hashlib
import zipfile
from pathlib import Path

import pytest

from elcrec.data.fetch import fetch
from elcrec.data.fetched import write_record

LINES = b"1 1 2 3 4 5\n2 2 1 6 3\n"
SHA = hashlib.sha256(LINES).hexdigest()
LOGIN = b"<!DOCTYPE html><html><body>Please log in</body></html>"
SEQUENCES = {"file": "small.txt", "sha256": SHA, "size": len(LINES)}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("ELCREC_MIRROR", str(folder))
    return folder


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def archive(path: Path, member: str, content: bytes) -> bytes:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(member, content)
    return path.read_bytes()


def test_download(server, sources, out: Path, capsys) -> None:
    url = server.serve("/small.txt", LINES)
    found = fetch("small", sources({**SEQUENCES, "urls": [url]}), out)
    assert found.path.read_bytes() == LINES
    assert (found.path, found.origin) == (out / "small.txt", url)
    assert names(out) == ["small.txt"]
    assert capsys.readouterr().err == ""


def test_a_good_file_is_not_fetched_again(server, sources, out: Path) -> None:
    url = server.serve("/small.txt", LINES)
    small = sources({**SEQUENCES, "urls": [url]})
    write_record(out, "small", fetch("small", small, out))
    assert fetch("small", small, out).origin == url
    assert len(server.asked) == 1


def test_a_damaged_file_is_fetched_again(server, sources, out: Path, capsys) -> None:
    out.mkdir()
    (out / "small.txt").write_bytes(LINES[:-3])
    fetch("small", sources({**SEQUENCES, "urls": [server.serve("/small.txt", LINES)]}), out)
    assert (out / "small.txt").read_bytes() == LINES
    assert "small.txt is 19 bytes instead of 22" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (lambda server: server.url + "/none", "HTTP status 404"),
        (lambda server: server.serve("/bad", b"", status=503), "HTTP status 503"),
        (lambda server: server.serve("/bad", LINES[:-1] + b"\t"), f"instead of {SHA[:12]}"),
        (lambda server: server.serve("/bad", LINES[:9]), "9 bytes instead of 22"),
        (lambda server: server.serve("/bad", LINES[:9], missing=13), "connection was interrupted"),
        (lambda server: server.serve("/bad", LOGIN), f"{len(LOGIN)} bytes instead of 22"),
        (lambda server: server.serve("/bad", b""), "0 bytes instead of 22"),
    ],
)
def test_a_bad_address_and_then_a_good_one(
    server, sources, out: Path, capsys, serve, reason: str
) -> None:
    urls = [serve(server), server.serve("/good", LINES)]
    found = fetch("small", sources({**SEQUENCES, "urls": urls}), out)
    assert found.origin == urls[1]
    (told,) = capsys.readouterr().err.splitlines()
    assert reason in told
    assert names(out) == ["small.txt"]


def test_a_refusal_is_not_asked_for_twice_but_a_failure_is(server, sources, out: Path) -> None:
    urls = [server.url + "/none", server.serve("/bad", b"", 500), server.serve("/good", LINES)]
    fetch("small", sources({**SEQUENCES, "urls": urls}), out)
    assert server.asked == ["/none", "/bad", "/bad", "/good"]


def test_the_next_source_after_the_first(server, sources, out: Path, closed_url: str) -> None:
    raw = {"format": "amazon-reviews", "file": "raw.json.gz", "urls": [closed_url + "/raw.json.gz"]}
    text = {**SEQUENCES, "urls": [server.serve("/small.txt", LINES)]}
    assert fetch("small", sources(raw, text), out).source.format == "sequences"


REVIEW = b'{"reviewerID": "a"}\n'
GZIP = gzip.compress(REVIEW * 500, mtime=0)


@pytest.mark.parametrize(
    ("file", "body", "reason"),
    [
        ("raw.json.gz", LOGIN, "an HTML page"),
        ("raw.json.gz", b"\n\n  <html>", "an HTML page"),
        ("raw.json.gz", b"too many requests", "not a gzip file"),
        ("raw.json.gz", GZIP[:-20], "the compressed file is damaged or cut"),
        ("raw.json.gz", GZIP[:-9] + b"x" + GZIP[-8:], "the compressed file is damaged or cut"),
        ("raw.zip", LOGIN, "an HTML page"),
        ("raw.zip", b"moved", "not a zip archive"),
        ("raw.txt", LOGIN, "an HTML page"),
    ],
)
def test_a_wrong_file_without_a_checksum(
    server, sources, out: Path, refused, file: str, body: bytes, reason: str
) -> None:
    urls = [server.serve(f"/{file}", body)]
    message = refused(fetch, "small", sources({"file": file, "urls": urls}), out)
    assert f"{file} from 127.0.0.1" in message
    assert reason in message
    assert names(out) == []


@pytest.mark.parametrize("body", [GZIP, REVIEW], ids=["packed", "unpacked on the way"])
def test_a_gzip_file_without_a_checksum(server, sources, out: Path, body: bytes) -> None:
    urls = [server.serve("/raw.json.gz", body)]
    assert (
        fetch("small", sources({"file": "raw.json.gz", "urls": urls}), out).path.read_bytes()
        == body
    )


def test_nothing_reachable(sources, out: Path, refused, closed_url: str, mirror: Path) -> None:
    entries = [
        {"format": "amazon-reviews", "file": "raw.json.gz", "urls": [closed_url + "/raw.json.gz"]},
        {**SEQUENCES, "urls": [closed_url + "/a.txt", closed_url + "/b.txt"]},
    ]
    message = refused(fetch, "small", sources(*entries), out)
    assert message.count("no connection") == 3
    assert message.count("No such file") == 2
    for word in ("data set small", "raw.json.gz", "small.txt", "set ELCREC_MIRROR", "`path`"):
        assert word in message
    assert len(message) < 800
    assert names(out) == []


def test_mirror_folder(sources, out: Path, mirror: Path, closed_url: str) -> None:
    (mirror / "small.txt").write_bytes(LINES)
    found = fetch("small", sources({**SEQUENCES, "urls": [closed_url]}), out)
    assert found.path == out / "small.txt"
    assert found.origin == "small.txt from a mirror"


@pytest.mark.parametrize("end", ["", "/"])
def test_mirror_as_file_address(sources, out: Path, mirror: Path, monkeypatch, end: str) -> None:
    monkeypatch.setenv("ELCREC_MIRROR", mirror.as_uri() + end)
    (mirror / "small.txt").write_bytes(LINES)
    assert fetch("small", sources(SEQUENCES), out).path.read_bytes() == LINES


@pytest.mark.parametrize("end", ["", "/"])
def test_mirror_as_http_address(server, sources, out: Path, monkeypatch, end: str) -> None:
    monkeypatch.setenv("ELCREC_MIRROR", f"{server.url}/files{end}")
    server.serve("/files/small.txt", LINES)
    raw = {"format": "amazon-reviews", "file": "raw.json.gz"}
    assert fetch("small", sources(raw, SEQUENCES), out).path.read_bytes() == LINES
    assert server.asked == ["/files/raw.json.gz", "/files/small.txt"]


def test_a_file_address_among_the_urls(sources, out: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "a.txt").write_bytes(LINES)
    urls = [(tmp_path / name).as_uri() for name in ("none.txt", "a.txt")]
    found = fetch("small", sources({**SEQUENCES, "urls": urls}), out)
    assert found.origin == "small.txt, a local file"
    assert "none.txt: No such file" in capsys.readouterr().err


def test_what_identifies_the_user_in_an_address_is_not_recorded(
    server, sources, out, refused, capsys
):
    url = server.serve("/small.txt?token=s3cret", LINES).replace("//", "//me:s3cret@")
    found = fetch("small", sources({**SEQUENCES, "urls": [url]}), out)
    assert found.origin == f"{server.url}/small.txt"
    found.path.unlink()
    elsewhere = sources({**SEQUENCES, "urls": [url.replace("small", "none")]})
    told = refused(fetch, "small", elsewhere, out)
    assert "s3cret" not in told + "".join(capsys.readouterr())


def test_all_of_the_mirror_goes_before_any_address(server, sources, out: Path, mirror) -> None:
    (mirror / "small.txt").write_bytes(LINES)
    url = server.serve("/raw.json.gz", GZIP)
    raw = {"format": "amazon-reviews", "file": "raw.json.gz", "urls": [url]}
    assert fetch("small", sources(raw, SEQUENCES), out).path.name == "small.txt"
    assert server.asked == []


def test_a_wrong_file_in_the_mirror(server, sources, out: Path, mirror: Path, capsys) -> None:
    (mirror / "small.txt").write_bytes(LINES.replace(b"6", b"7"))
    url = server.serve("/small.txt", LINES)
    assert fetch("small", sources({**SEQUENCES, "urls": [url]}), out).origin == url
    (told,) = capsys.readouterr().err.splitlines()
    assert "small.txt from the mirror" in told
    assert "sha256" in told
    assert names(out) == ["small.txt"]


def test_a_wrong_file_in_the_mirror_and_nothing_else(sources, out, mirror: Path, refused) -> None:
    (mirror / "small.txt").write_bytes(LINES[:-1])
    assert "21 bytes instead of 22" in refused(fetch, "small", sources(SEQUENCES), out)
    assert names(out) == []


def test_a_local_path_is_read_where_it_lies(sources, out: Path, tmp_path: Path, mirror) -> None:
    (mirror / "small.txt").write_bytes(LINES)
    own = tmp_path / "dump.json"
    own.write_text('{"user_id": "a"}\n')
    found = fetch("small", sources({"format": "yelp-reviews", "path": str(own)}, SEQUENCES), out)
    assert (found.path, found.origin) == (own, "dump.json, the user's own file")
    assert names(out) == []


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no such file"), (b"", "0 bytes"), (b"1 1\n", "4 bytes")]
)
def test_a_wrong_local_path_is_never_replaced_by_another_source(
    sources, out: Path, tmp_path: Path, mirror, refused, content: bytes | None, reason: str
) -> None:
    (mirror / "small.txt").write_bytes(LINES)
    own = tmp_path / "own.txt"
    if content is not None:
        own.write_bytes(content)
    message = refused(fetch, "small", sources({**SEQUENCES, "path": str(own)}, SEQUENCES), out)
    assert "datasets.small" in message
    assert str(own) in message
    assert reason in message


def test_a_zip_is_checked_by_md5(server, sources, out: Path, tmp_path: Path, refused) -> None:
    body = archive(tmp_path / "a.zip", "m/u.data", b"1\t1\t5\t10\n")
    source = {"format": "movielens", "file": "m.zip", "member": "m/u.data"}
    source["urls"] = [server.serve("/m.zip", body)]
    right = sources({**source, "md5": hashlib.md5(body).hexdigest()})
    assert fetch("small", right, out).path.read_bytes() == body
    message = refused(fetch, "small", sources({**source, "md5": "0" * 32}), out)
    assert "md5" in message
    assert "000000000000" in message
    assert names(out) == ["m.zip"]  # the other one stays until the right one is there


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that pip finds in a folder, with no index to ask."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "tinydata-1.0-py3-none-any.whl"
    info = "tinydata-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("tinydata/small.txt", LINES)
        opened.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinydata\nVersion: 1.0\n")
        opened.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        opened.writestr(f"{info}/RECORD", "")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return path


def test_member_of_a_wheel(sources, out: Path, wheel: Path) -> None:
    source = {"file": "small.txt", "wheel": "tinydata==1.0", "member": "tinydata/small.txt"}
    source["sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    found = fetch("small", sources(source), out)
    assert found.path.read_bytes() == LINES
    assert "tinydata==1.0" in found.origin
    assert names(out) == ["small.txt"]
    assert fetch("small", sources(source), out).origin == "fetched earlier"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"wheel": "tinydata==2.0"}, "No matching distribution"),
        ({"member": "tinydata/other.txt"}, "has no tinydata/other.txt"),
        ({"sha256": "0" * 64}, "instead of 000000000000"),
    ],
)
def test_wrong_wheel(sources, out: Path, wheel: Path, refused, change: dict, reason: str) -> None:
    source = {"file": "small.txt", "wheel": "tinydata==1.0", "member": "tinydata/small.txt"}
    message = refused(fetch, "small", sources({**source, **change}), out)
    assert reason in message
    assert names(out) == []
