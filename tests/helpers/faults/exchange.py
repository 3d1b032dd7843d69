"""One request between its client and S3, and the steps of which faults are made."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.helpers.faults.messages import (
    MOST_HEAD_BYTES,
    Head,
    MessageError,
    pieces,
    read_body,
    read_head,
)
from tests.helpers.faults.requests import Operation, Request
from tests.helpers.faults.rules import Fault

_WITHOUT_BODY = frozenset({204, 304})
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds


class UpstreamError(Exception):
    """S3 itself cannot be reached, or broke off: no fault that was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What S3 has answered; the content of a body that came in chunks is whole."""

    head: Head
    content: bytes


@dataclass(slots=True)
class Record:
    """What has become of a request, so far.

    Attributes:
        status: That the client was told; 0 while it was told nothing.
        forwarded: How often S3 was asked: once, unless a fault was injected.
        fault: What was injected, if anything.
    """

    operation: Operation
    bucket: str
    key: str
    status: int = 0
    forwarded: int = 0
    fault: Fault | None = None


class Upstream:
    """The connection to S3 that belongs to one connection of a client."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: Request) -> tuple[Head, asyncio.StreamReader]:
        """Send a request; the head of its answer, and the stream that the answer's body is in.

        The bytes are those that the client sent and signed, with its `Host`. `Expect` alone is left
        out, which no client signs: the body is here already.
        """
        wire = request.head.without("expect").encode() + request.body.wire
        reader, is_kept = await self._connected()
        head = await self._answered(reader, wire)
        if head is None and is_kept:  # S3 had closed the idle connection
            self.close()
            reader, _ = await self._connected()
            head = await self._answered(reader, wire)
        if head is None:
            raise MessageError("S3 closed without an answer.")
        return head, reader

    async def _connected(self) -> tuple[asyncio.StreamReader, bool]:
        if self._reader and not self._reader.at_eof():
            return self._reader, True
        self.close()
        self._reader, self._writer = await asyncio.open_connection(
            self._host, self._port, limit=MOST_HEAD_BYTES
        )
        return self._reader, False

    async def _answered(self, reader: asyncio.StreamReader, wire: bytes) -> Head | None:
        assert self._writer
        self._writer.write(wire)
        await self._writer.drain()
        head = await read_head(reader)
        while head and 100 <= head.status < 200:
            head = await read_head(reader)
        return head

    def close(self) -> None:
        if self._writer:
            self._writer.transport.abort()
        self._reader = self._writer = None


class Exchange:
    """A request that is to be answered; a fault takes the steps that it wants.

    Attributes:
        is_over: Whether the client's connection is of no more use.
    """

    def __init__(
        self, request: Request, record: Record, writer: asyncio.StreamWriter, upstream: Upstream
    ) -> None:
        self.request = request
        self.record = record
        self.is_over = request.head.closes
        self._writer = writer
        self._upstream = upstream

    async def forward(self) -> Answer:
        """Ask S3, and hold its answer in memory."""
        async with self._asking():
            head, reader = await self._upstream.ask(self.request)
            if self._has_no_body(head):
                return Answer(head, b"")
            body = await read_body(reader, head, is_answer=True)
            return Answer(head.as_whole(len(body.content)), body.content)

    async def pass_through(self) -> None:
        """Ask S3, and hand its answer on as it comes."""
        async with self._asking():
            head, reader = await self._upstream.ask(self.request)
        length = head.header("content-length")
        if self._has_no_body(head):
            await self.send(Answer(head, b""))
        elif length and not head.is_chunked:
            await self.send(Answer(head, b""))
            await self._stream(reader, int(length))
        else:
            async with self._asking(is_new=False):
                body = await read_body(reader, head, is_answer=True)
            await self.send(Answer(head.as_whole(len(body.content)), body.content))

    async def _stream(self, reader: asyncio.StreamReader, length_bytes: int) -> None:
        body = pieces(reader, length_bytes)
        while True:
            async with self._asking(is_new=False):
                piece = await anext(body, b"")
            if not piece:
                return
            await self.send_rest(piece)

    async def send(self, answer: Answer, share: float = 1.0) -> None:
        """Send the head, and so much of the body, or of the head where there is no body."""
        self.record.status = answer.head.status
        self.is_over = self.is_over or answer.head.closes
        wire, content = answer.head.encode(), answer.content
        if content:
            wire += content[: int(len(content) * share)]
        elif share < 1:
            wire = wire[: int(len(wire) * share)]
        await self.send_rest(wire)

    async def send_rest(self, wire: bytes) -> None:
        self._writer.write(wire)
        await self._writer.drain()

    def reset(self) -> None:
        """Break the client's connection off: its next read or write fails."""
        self.is_over = True
        linger = socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
        self._writer.get_extra_info("socket").setsockopt(*linger)
        self._writer.transport.abort()

    def close(self) -> None:
        """End the client's connection in good order, after all that was sent."""
        self.is_over = True

    def _has_no_body(self, head: Head) -> bool:
        return self.request.method == "HEAD" or head.status in _WITHOUT_BODY

    @asynccontextmanager
    async def _asking(self, *, is_new: bool = True) -> AsyncIterator[None]:
        self.record.forwarded += is_new
        try:
            yield
        except (OSError, MessageError) as error:
            self._upstream.close()
            raise UpstreamError(f"{self.request.head.start_line}: {error}") from error
