"""Downloads from servers that are gone, slow or wrong, onto disks that are full."""

import errno
import gzip
import hashlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import elcrec.data.fetch as fetching
from elcrec.data.fetch import fetch

LINES = b"1 1 2 3 4 5\n2 2 1 6 3\n"
SMALL = {"file": "small.txt", "sha256": hashlib.sha256(LINES).hexdigest(), "size": len(LINES)}
UNKNOWN = {"file": "small.txt"}
LOGIN = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT", 0.2)


def command(folder: Path, url: str) -> list[str]:
    """The command that fetches `url` into `out` in `folder`."""
    config = folder / "config.yaml"
    source = f"{{format: sequences, file: small.txt, urls: ['{url}']}}"
    config.write_text(f"use: [own]\ndatasets: {{own: {{sources: [{source}]}}}}\n")
    words = [sys.executable, "-m", "elcrec", "data", "fetch", "--dataset", "own"]
    return [*words, "--config", str(config), "--output", str(folder / "out")]


def headers(handler, length: int = len(LINES), status: int = 200, **more: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(length))
    for name, value in more.items():
        handler.send_header(name, value)
    handler.end_headers()


def never_answers(server):
    return server.act("/bad", lambda handler: server.closing.wait(10))


def stalls(server):
    def act(handler):
        headers(handler)
        handler.wfile.write(LINES[:5])
        handler.wfile.flush()
        server.closing.wait(10)

    return server.act("/bad", act)


def breaks_off(server):
    def act(handler):
        headers(handler)
        handler.wfile.write(LINES[:5])

    return server.act("/bad", act)


def breaks_off_in_a_chunk(server):
    def act(handler):
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"16\r\n" + LINES[:5])

    return server.act("/bad", act)


def hangs_up(server):
    return server.act("/bad", lambda handler: handler.connection.shutdown(socket.SHUT_RDWR))


def speaks_no_http(server):
    return server.act("/bad", lambda handler: handler.wfile.write(b"220 mail ready\r\n"))


def redirects_to_a_login_page(server):
    server.serve("/login", LOGIN)
    return server.act("/bad", lambda handler: headers(handler, 0, 302, Location="/login"))


def redirects_in_a_loop(server):
    return server.act("/bad", lambda handler: headers(handler, 0, 302, Location="/bad"))


def wrong_bytes(server):
    return server.serve("/bad", LINES[::-1])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (never_answers, "no answer within 0.2 s"),
        (stalls, "no answer within 0.2 s"),
        (breaks_off, "the connection was interrupted"),
        (breaks_off_in_a_chunk, "the connection was interrupted"),
        (hangs_up, "no connection"),
        (speaks_no_http, "no connection"),
        (redirects_to_a_login_page, f"{len(LOGIN)} bytes instead of {len(LINES)}"),
        (redirects_in_a_loop, "too many redirects"),
        (wrong_bytes, "instead of"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_fault_and_then_the_next_address(server, sources, out, capsys, fault, reason) -> None:
    urls = [fault(server), server.serve("/good", LINES)]
    assert fetch("small", sources({**SMALL, "urls": urls}), out).origin == urls[1]
    (told,) = capsys.readouterr().err.splitlines()
    assert reason in told
    assert "small.txt from 127.0.0.1" in told
    assert [path.name for path in out.iterdir()] == ["small.txt"]
    assert (out / "small.txt").read_bytes() == LINES


@pytest.mark.parametrize("fault", [stalls, breaks_off, redirects_to_a_login_page])
@pytest.mark.usefixtures("impatient")
def test_a_fault_and_nothing_else(server, sources, out, refused, fault) -> None:
    message = refused(fetch, "small", sources({**UNKNOWN, "urls": [fault(server)]}), out)
    assert "data set small could not be fetched: small.txt from 127.0.0.1" in message
    assert list(out.iterdir()) == []


def test_a_failure_and_then_success_on_asking_again(server, sources, out, capsys) -> None:
    answers = [500, 200]

    def act(handler):
        headers(handler, status=answers.pop(0))
        handler.wfile.write(LINES)

    fetch("small", sources({**SMALL, "urls": [server.act("/again", act)]}), out)
    assert server.asked == ["/again", "/again"]
    assert capsys.readouterr().err == ""


def test_a_server_that_compresses_although_nobody_asked(server, sources, out) -> None:
    body = LINES * 30_000
    packed = gzip.compress(body)

    def act(handler):
        headers(handler, len(packed), **{"Content-Encoding": "gzip"})
        handler.wfile.write(packed)

    source = {**UNKNOWN, "urls": [server.act("/small.txt", act)]}
    assert fetch("small", sources(source), out).path.read_bytes() == body


def test_an_unknown_host(sources, out, refused, monkeypatch) -> None:
    def unknown(*arguments, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    source = {**SMALL, "urls": ["http://nowhere.invalid/small.txt"]}
    message = refused(fetch, "small", sources(source), out)
    assert "small.txt from nowhere.invalid: unknown host name" in message


def test_a_mirror_by_address_with_a_wrong_file(server, sources, out, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ELCREC_MIRROR", f"{server.url}/files")
    server.serve("/files/small.txt", LINES[::-1])
    url = server.serve("/small.txt", LINES)
    assert fetch("small", sources({**SMALL, "urls": [url]}), out).origin == url
    assert "small.txt from the mirror http://127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "body", "reason"),
    [
        ({"file": "r.json", "format": "yelp-reviews"}, b'{"error": "log in"}', "a JSON message"),
        ({"file": "r.json.gz", "format": "amazon-reviews"}, b'{"error": 1}', "a JSON message"),
        ({"file": "u.data", "format": "movielens"}, b'{"error": "log in"}', "a JSON message"),
        ({"file": "small.txt"}, b'{"error": "log in"}', "a JSON message"),
        (
            {"file": "m.zip", "format": "movielens", "member": "u"},
            b"PK\x03\x04cut",
            "damaged or cut",
        ),
    ],
)
def test_a_wrong_file_that_has_no_checksum(
    server, sources, out, refused, source, body, reason
) -> None:
    source["urls"] = [server.serve("/file", body)]
    assert reason in refused(fetch, "small", sources(source), out)
    assert list(out.iterdir()) == []


def test_a_full_disk(server, sources, out, refused, monkeypatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fetching, "_get", full)
    message = refused(
        fetch, "small", sources({**SMALL, "urls": [server.serve("/small.txt", LINES)]}), out
    )
    assert "small.txt from 127.0.0.1" in message
    assert "No space left on device" in message
    assert list(out.iterdir()) == []


def test_a_file_that_the_system_lets_grow_no_further(server, tmp_path: Path) -> None:
    """In a process of its own, whose files may have 20 kB at most."""
    url = server.serve("/large.txt", b"1 1 2 3 4\n" * 10_000)
    out = tmp_path / "out"
    done = subprocess.run(
        command(tmp_path, url),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("what", ["a file in the way", "a folder in the file's place"])
def test_a_folder_that_cannot_be_written_to(server, sources, out, refused, what) -> None:
    if what == "a file in the way":
        out.write_text("")
    else:
        (out / "small.txt" / "inside").mkdir(parents=True)
    url = server.serve("/small.txt", LINES)
    message = refused(fetch, "small", sources({**SMALL, "urls": [url]}), out)
    assert str(out) in message or "Is a directory" in message


def test_what_a_killed_fetch_left_is_removed(server, tmp_path: Path, sources, capsys) -> None:
    """Kill a real fetch while the file is coming, and fetch again."""
    begun = threading.Event()

    def act(handler):
        headers(handler)
        handler.wfile.write(LINES[:5])
        handler.wfile.flush()
        begun.set()
        server.closing.wait(10)

    out, url = tmp_path / "out", server.act("/slow", act)
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    fetching_it = subprocess.Popen(command(tmp_path, url), env=environment)
    assert begun.wait(60)
    fetching_it.kill()
    fetching_it.wait()
    assert len(list(out.glob(".fetch.*"))) == 1
    fetch("small", sources({**SMALL, "urls": [server.serve("/small.txt", LINES)]}), out)
    assert [path.name for path in out.iterdir()] == ["small.txt"]
    assert capsys.readouterr().err == ""


def test_two_fetches_into_one_folder_take_turns(server, sources, out) -> None:
    asked, lines = threading.Event(), []

    def act(handler):
        asked.set()
        time.sleep(0.2)
        headers(handler)
        handler.wfile.write(LINES)

    small = sources({**SMALL, "urls": [server.act("/small.txt", act)]})
    both = [
        threading.Thread(target=lambda: lines.append(fetch("small", small, out))) for _ in range(2)
    ]
    both[0].start()
    assert asked.wait(10)
    both[1].start()
    for thread in both:
        thread.join()
    assert len(lines) == 2
    assert server.asked == ["/small.txt"]
    assert [path.name for path in out.iterdir()] == ["small.txt"]
