"""An S3 that misbehaves: what is the object's fault, and what asks for another attempt?"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote

import pytest

from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason, Status
from imagemill_worker.errors import (
    ArgumentsError,
    PictureError,
    StoreRefusedError,
    TryAgainError,
)
from imagemill_worker.stores.evidence import MOST_REFUSED_IN_A_ROW
from imagemill_worker.stores.opening import check_readable, open_store
from imagemill_worker.stores.store import Store

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
            case "503" | "500" | "400" | "403" | "404" | "429":
                code = key.rpartition(" ")[2] if "Expired" in key else "Some"
                self.answer(int(what), f"<Error><Code>{code}</Code></Error>".encode())
            case "flip":
                self.answer(200, BODY[:-1] + b"?")
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

    def do_HEAD(self) -> None:
        self.answer(200, BODY, send=0)

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
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    Misbehaving.seen.clear()
    Misbehaving.written.clear()
    env = {"AWS_ENDPOINT_URL": endpoint, "STORE_PATIENCE_SECONDS": "1.5"}
    return open_store(Location.parse("s3://bucket/", "test"), env)


def item(key: str, etag: str = "tag", size: int = len(BODY)) -> SourceObject:
    return SourceObject(key, etag, size)


@pytest.mark.parametrize("key", ["fine", "503 slow down", "500 internal", "429 slow", "reset"])
def test_a_fault_that_passes_is_not_seen(store: Store, key: str) -> None:
    assert bytes(store.read_object(item(key))) == BODY


@pytest.mark.parametrize("key", ["503 always", "500 always", "reset always"])
def test_a_store_that_answers_nothing_but_faults_asks_for_another_attempt(
    store: Store, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    went_wrong = store.weather.went_wrong

    def until_patience_ends() -> None:
        went_wrong()
        store.weather.patience_seconds = 0 if store.weather.throttled == 5 else 600

    monkeypatch.setattr(store.weather, "went_wrong", until_patience_ends)
    with pytest.raises(TryAgainError, match=r"nothing but faults for \d+ seconds, 5 in all"):
        store.read_object(item(key))
    assert Misbehaving.seen.count(key) == 5
    assert store.weather.waited_seconds > 0


@pytest.mark.parametrize("key", ["500 always", "reset always"])
def test_one_object_that_fails_while_others_do_not_is_blamed_alone(store: Store, key: str) -> None:
    store.weather.patience_seconds = 600
    store.read_object(item("fine"))
    with pytest.raises(PictureError) as caught:
        store.read_object(item(key))
    assert (caught.value.reason, caught.value.status) == (Reason.STORE_ERROR, Status.FAILED)
    assert repr(key) in caught.value.detail


def test_what_the_store_refuses_of_one_object_is_known_at_once(store: Store) -> None:
    with pytest.raises(PictureError) as caught:
        store.read_object(item("400 always"))
    assert caught.value.reason is Reason.STORE_ERROR
    assert "The store answers Some" in caught.value.detail
    assert Misbehaving.seen.count("400 always") == 1


def test_a_store_that_refuses_one_object_after_the_other_ends_the_attempt(store: Store) -> None:
    for number in range(MOST_REFUSED_IN_A_ROW - 1):
        with pytest.raises(PictureError):
            store.read_object(item(f"400 always {number}"))
    with pytest.raises(TryAgainError):
        store.read_object(item("400 always, too"))


def test_refusals_with_successes_between_them_are_those_of_objects(store: Store) -> None:
    for number in range(3 * MOST_REFUSED_IN_A_ROW):
        with pytest.raises(PictureError):
            store.read_object(item(f"400 always {number}"))
        store.read_object(item(f"fine {number}"))


def test_credentials_that_are_not_valid_any_more_are_no_objects_fault(store: Store) -> None:
    with pytest.raises(TryAgainError, match="ExpiredToken"):
        store.read_object(item("400 always ExpiredToken"))


@pytest.mark.parametrize(
    ("key", "reason", "status"),
    [
        ("404 always", Reason.GONE, Status.REJECTED),
        ("changed always", Reason.CHANGED, Status.REJECTED),
        ("403 always", Reason.ACCESS_DENIED, Status.FAILED),
    ],
)
def test_an_object_that_cannot_be_read_has_its_own_reason(
    store: Store, key: str, reason: Reason, status: Status
) -> None:
    with pytest.raises(PictureError) as caught:
        store.read_object(item(key))
    assert (caught.value.reason, caught.value.status) == (reason, status)


@pytest.mark.parametrize("key", ["a//b", "/lead", "a/./b", "a/../b", "tab\tbed", "line\nbreak"])
def test_keys_that_only_s3_takes_are_read_and_written(store: Store, key: str) -> None:
    assert bytes(store.read_object(item(key))) == BODY
    store.write_object(key, b"body")
    assert Misbehaving.written == {key: b"body"}


def test_another_length_than_planned_is_a_change(store: Store) -> None:
    with pytest.raises(PictureError) as caught:
        store.read_object(item("fine", size=len(BODY) + 1))
    assert caught.value.reason is Reason.CHANGED


def test_what_comes_damaged_is_read_again(store: Store) -> None:
    digest = sha256(BODY).hexdigest()
    assert bytes(store.read_object(item("flip"), digest)) == BODY
    assert Misbehaving.seen == ["flip", "flip"]


def test_what_stays_damaged_is_a_failure_and_no_rejection(store: Store) -> None:
    with pytest.raises(PictureError) as caught:
        store.read_object(item("flip always"), sha256(BODY).hexdigest())
    assert (caught.value.reason, caught.value.status) == (Reason.DAMAGED, Status.FAILED)


@pytest.mark.parametrize(("size", "reason"), [(0, Reason.EMPTY), (10**12, Reason.TOO_MANY_BYTES)])
def test_what_its_size_rules_out_is_not_read(size: int, reason: Reason) -> None:
    with pytest.raises(PictureError) as caught:
        check_readable(item("a", size=size))
    assert caught.value.reason is reason


def test_writing_is_tried_again_and_then_given_up(store: Store) -> None:
    store.write_object("503 once.jpg", b"body")
    assert Misbehaving.written["503 once.jpg"] == b"body"
    with pytest.raises(TryAgainError):
        store.write_document("500 always.jpg", b"body")


def test_one_result_that_cannot_be_written_fails_alone(store: Store) -> None:
    store.write_object("a.jpg", b"body")
    with pytest.raises(PictureError) as caught:
        store.write_object("403 always.jpg", b"body")
    assert (caught.value.reason, caught.value.status) == (Reason.ACCESS_DENIED, Status.FAILED)


def test_a_job_that_may_write_nothing_is_refused(store: Store) -> None:
    for number in range(MOST_REFUSED_IN_A_ROW - 1):
        with pytest.raises(PictureError, match="may not write"):
            store.write_object(f"403 always/{number}.jpg", b"body")
    with pytest.raises(StoreRefusedError, match="may not write"):
        store.write_object("403 always/last.jpg", b"body")


def test_a_document_that_is_only_offered_is_tried_once(store: Store) -> None:
    assert not store.try_write_document("503 once", b"body")
    assert store.try_write_document("503 once", b"body")


def test_documents_that_are_not_there_are_the_callers_fault(store: Store) -> None:
    with pytest.raises(ArgumentsError, match="is not there"):
        store.read_document("404 always", "shard")
    with pytest.raises(StoreRefusedError, match="may not read"):
        store.read_document("403 always", "shard")


def test_an_endpoint_that_does_not_answer_asks_for_another_attempt(store: Store) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        env = {"AWS_ENDPOINT_URL": endpoint, "STORE_PATIENCE_SECONDS": "0.5"}
        nowhere = open_store(Location.parse("s3://bucket/", "test"), env)
        with pytest.raises(TryAgainError):
            nowhere.read_object(item("a"))
