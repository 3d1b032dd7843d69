"""An S3 that misbehaves: what is the object's fault, and what asks for another attempt?"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote

import pytest

from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason, Status
from imagemill_worker import stores
from imagemill_worker.errors import (
    ArgumentsError,
    PictureError,
    StoreRefusedError,
    TryAgainError,
)

BODY = bytes(range(256)) * 400


class Misbehaving(BaseHTTPRequestHandler):
    """Does once, or always for `always`, what the key's first word says; then serves BODY."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str]] = []
    written: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        key = unquote(self.path.partition("?")[0].removeprefix("/bucket/"))
        self.seen.append(key)
        what = key.partition(" ")[0]
        if "always" not in key and self.seen.count(key) > 1:
            what = "fine"
        match what:
            case "503" | "500" | "403" | "404" | "429":
                self.answer(int(what), b"<Error><Code>Some</Code></Error>")
            case "reset":
                self.answer(200, BODY, send=len(BODY) // 2)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + b"\0" * 7)
                self.close_connection = True
            case "changed":
                self.answer(412, b"")
            case _:
                at = int(self.headers.get("Range", "bytes=0-").split("=")[1].split("-")[0])
                self.answer(206 if at else 200, BODY[at:], at=at)

    def answer(self, status: int, body: bytes, send: int | None = None, at: int = 0) -> None:
        self.send_response(status)
        self.send_header("ETag", '"tag"')
        self.send_header("Last-Modified", "Mon, 02 Jan 2023 00:00:00 GMT")
        if status == 206:
            self.send_header("Content-Range", f"bytes {at}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:send])

    def do_PUT(self) -> None:
        key = unquote(self.path.removeprefix("/bucket/"))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(key)
        status = int(key[:3]) if key[:3].isdigit() and self.seen.count(key) < 2 else 200
        if "always" in key:
            status = int(key[:3])
        if status == 200:
            self.written[key] = body
        self.answer(status, b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> stores.Store:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(stores, "_RETRIES", 2)
    Misbehaving.seen.clear()
    return stores.open_store(Location.parse("s3://bucket/", "test"), {"AWS_ENDPOINT_URL": endpoint})


def item(key: str, etag: str = "tag", size: int = len(BODY)) -> SourceObject:
    return SourceObject(key, etag, size)


@pytest.mark.parametrize("key", ["fine", "503 slow down", "500 internal", "429 slow", "reset"])
def test_a_fault_that_passes_is_not_seen(store: stores.Store, key: str) -> None:
    assert bytes(stores.read_object(store, item(key))) == BODY


@pytest.mark.parametrize("key", ["503 always", "500 always", "reset always"])
def test_a_fault_that_stays_asks_for_another_attempt(store: stores.Store, key: str) -> None:
    with pytest.raises(TryAgainError):
        stores.read_object(store, item(key))


@pytest.mark.parametrize(
    ("key", "reason", "status"),
    [
        ("404 always", Reason.GONE, Status.REJECTED),
        ("changed always", Reason.CHANGED, Status.REJECTED),
        ("403 always", Reason.ACCESS_DENIED, Status.FAILED),
        ("a//b", Reason.UNREADABLE_KEY, Status.REJECTED),
        ("tab\tbed", Reason.UNREADABLE_KEY, Status.REJECTED),
    ],
)
def test_an_object_that_cannot_be_read_has_its_own_reason(
    store: stores.Store, key: str, reason: Reason, status: Status
) -> None:
    with pytest.raises(PictureError) as caught:
        stores.read_object(store, item(key))
    assert (caught.value.reason, caught.value.status) == (reason, status)


def test_another_length_than_planned_is_a_change(store: stores.Store) -> None:
    with pytest.raises(PictureError) as caught:
        stores.read_object(store, item("fine", size=len(BODY) + 1))
    assert caught.value.reason is Reason.CHANGED


@pytest.mark.parametrize(
    ("key", "size", "reason"),
    [
        ("a", 0, Reason.EMPTY),
        ("a", 10**12, Reason.TOO_MANY_BYTES),
        ("/a", 1, Reason.UNREADABLE_KEY),
        ("a/", 1, Reason.UNREADABLE_KEY),
    ],
)
def test_what_its_plan_rules_out_is_not_read(key: str, size: int, reason: Reason) -> None:
    with pytest.raises(PictureError) as caught:
        stores.check_readable(item(key, size=size), "resized/a.jpg")
    assert caught.value.reason is reason
    with pytest.raises(PictureError):
        stores.check_readable(item("a"), "é" * 513)


def test_writing_is_tried_again_and_then_given_up(store: stores.Store) -> None:
    stores.write_object(store, "503 once.jpg", b"body")
    assert Misbehaving.written["503 once.jpg"] == b"body"
    with pytest.raises(TryAgainError):
        stores.write_object(store, "500 always.jpg", b"body")
    with pytest.raises(StoreRefusedError):
        stores.write_object(store, "403 always.jpg", b"body")


def test_documents_that_are_not_there_are_the_callers_fault(store: stores.Store) -> None:
    with pytest.raises(ArgumentsError, match="is not there"):
        stores.read_document(store, "404 always", "shard")
    with pytest.raises(StoreRefusedError, match="may not read"):
        stores.read_document(store, "403 always", "shard")


def test_an_endpoint_that_does_not_answer_asks_for_another_attempt(
    store: stores.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        nowhere = stores.open_store(
            Location.parse("s3://bucket/", "test"), {"AWS_ENDPOINT_URL": endpoint}
        )
        with pytest.raises(TryAgainError):
            stores.read_object(nowhere, item("a"))
