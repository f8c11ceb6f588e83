"""A loopback server, small raw files, and a guard that no test leaves this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from elcrec.data.sources import Dataset, DataSource
from elcrec.errors import InputError, dotted
from elcrec.files.checked import check


class Server:
    """Answers with what `serve` was told, else 404."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.replies: dict[str, tuple[int, int, bytes]] = {}
        self.acts: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.closing = threading.Event()
        self.asked: list[str] = []

    def serve(self, path: str, body: bytes, status: int = 200, missing: int = 0) -> str:
        """Give out `body`, with a Content-Length that claims `missing` bytes more."""
        self.replies[path] = (status, len(body) + missing, body)
        return self.url + path

    def act(self, path: str, act: Callable[[BaseHTTPRequestHandler], None]) -> str:
        """Let `act` answer, which may wait for `closing`."""
        self.acts[path] = act
        return self.url + path


@pytest.fixture
def server() -> Iterator[Server]:
    """An HTTP server on loopback."""
    state = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            if self.path in state.acts:
                with suppress(ConnectionError):  # who asked has given up
                    state.acts[self.path](self)
                return
            status, length, body = state.replies.get(self.path, (404, 0, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.closing.set()
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
def closed_url() -> str:
    """An address on loopback where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: tuple) -> None:
        assert address[0] == "127.0.0.1", f"a test tried to reach {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.delenv("ELCREC_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def sources() -> Callable[..., list[DataSource]]:
    """The sources of a data set, of the prepared format unless they say another."""

    def build(*entries: dict) -> list[DataSource]:
        listed = [{"format": "sequences", **entry} for entry in entries]
        return entry_of({"sources": listed}).places

    return build


def entry_of(mapping: object) -> Dataset:
    """What the configuration says of the data set `small`."""
    dataset: Dataset = check(Dataset, mapping, lambda *keys: dotted(("datasets", "small", *keys)))
    return dataset


@pytest.fixture
def refused() -> Callable[..., str]:
    """Call what must end in an InputError of one line, and return its message."""

    def call(function: Callable, *arguments: object) -> str:
        with pytest.raises(InputError) as caught:
            function(*arguments)
        message = str(caught.value)
        assert "\n" not in message
        return message

    return call
