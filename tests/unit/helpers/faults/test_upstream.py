"""What S3 answers, however it is framed; and what S3 does wrong of itself."""

from __future__ import annotations

import socket
import threading
from http.client import IncompleteRead

import pytest

from tests.helpers.faults.proxy import FaultProxy
from tests.helpers.faults.raw_client import RawClient


class Answering(threading.Thread):
    """An S3 that writes the same bytes for every request and then closes the connection."""

    def __init__(self, wire: bytes) -> None:
        super().__init__(daemon=True)
        self.wire, self.asked = wire, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                self.asked += 1
                connection.sendall(self.wire)


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", b"body"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb", b"b"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", b"to the end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"4;x=y\r\nbody\r\n2\r\n!!\r\n0\r\nx-trailer: t\r\n\r\n",
            b"body!!",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_answers_of_every_framing_are_read_and_a_closed_connection_is_made_anew(
    wire: bytes, body: bytes
) -> None:
    upstream = Answering(wire)
    upstream.start()
    with FaultProxy(upstream.url) as proxy:
        client = RawClient(proxy.endpoint_url)
        assert [client.get()[1] for _ in range(3)] == [body] * 3
        client.close()
        assert proxy.upstream_errors == []
    assert upstream.asked == 3
    upstream.listener.close()


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo",
    ],
)
def test_what_s3_does_wrong_itself_is_on_record_and_breaks_the_connection_off(wire: bytes) -> None:
    upstream = Answering(wire)
    upstream.start()
    with FaultProxy(upstream.url) as proxy:
        client = RawClient(proxy.endpoint_url)
        with pytest.raises((ConnectionResetError, IncompleteRead)):
            client.get()
        client.close()
        (error,) = proxy.upstream_errors
        assert "GET /bucket/a" in str(error)
    upstream.listener.close()


def test_s3_that_is_not_there_is_on_record() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with FaultProxy(url) as proxy:
        client = RawClient(proxy.endpoint_url)
        with pytest.raises(ConnectionResetError):
            client.get()
        client.close()
        assert len(proxy.upstream_errors) == 1
