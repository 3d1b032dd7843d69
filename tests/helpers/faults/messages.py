"""HTTP/1.1 messages as they lie on the wire (RFC 9112), read from asyncio's streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

MOST_HEAD_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
_LINE_END = b"\r\n"


class MessageError(Exception):
    """The peer speaks no HTTP/1.1, or has stopped within a message."""


@dataclass(frozen=True, slots=True)
class Head:
    """The lines before a body, in the order and the spelling in which they came."""

    start_line: str
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, wire: bytes) -> Self:
        start, *lines = wire.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start, tuple((name, value.strip()) for name, _, value in pairs))

    def header(self, name: str) -> str:
        """The value of a header, empty where there is none."""
        return next((value for given, value in self.headers if given.lower() == name), "")

    def without(self, *names: str) -> Head:
        """The same without headers, which are named in lower case."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return Head(self.start_line, kept)

    def encode(self) -> bytes:
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    @property
    def status(self) -> int:
        """Of the head of an answer."""
        return int(self.start_line.split(" ")[1])

    @property
    def is_chunked(self) -> bool:
        return "chunked" in self.header("transfer-encoding").lower()

    @property
    def closes(self) -> bool:
        return "close" in self.header("connection").lower()

    def as_whole(self, length_bytes: int) -> Head:
        """The same for a body that is sent with its length and not in chunks."""
        plain = self.without("content-length", "transfer-encoding", "trailer")
        length = ("Content-Length", str(length_bytes))
        return Head(plain.start_line, (*plain.headers, length))


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """None when the peer has closed between two messages."""
    try:
        return Head.parse(await reader.readuntil(2 * _LINE_END))
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise MessageError("The peer stopped within a head.") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise MessageError(f"A head is longer than {MOST_HEAD_BYTES} bytes.") from error


@dataclass(frozen=True, slots=True)
class Body:
    """`content` is what it means, `wire` how it was sent: the same, unless it came in chunks."""

    content: bytes
    wire: bytes


async def read_body(reader: asyncio.StreamReader, head: Head, *, is_answer: bool) -> Body:
    """A body of which the head says how long it is; an answer's may go on until the end."""
    try:
        if head.is_chunked:
            return await _read_chunks(reader)
        if length := head.header("content-length"):
            content = await reader.readexactly(int(length))
        else:
            content = await reader.read() if is_answer else b""
    except (asyncio.IncompleteReadError, ValueError) as error:
        raise MessageError("The peer stopped within a body.") from error
    return Body(content, content)


async def _read_chunks(reader: asyncio.StreamReader) -> Body:
    wire, content = bytearray(), bytearray()
    length = -1
    while length:
        line = await reader.readuntil(_LINE_END)
        length = int(line.partition(b";")[0], 16)
        chunk = await reader.readexactly(length + 2) if length else b""
        content += chunk[:-2]
        wire += line + chunk
    while (line := await reader.readuntil(_LINE_END)) != _LINE_END:
        wire += line  # a trailer: a checksum, say
    return Body(bytes(content), bytes(wire + _LINE_END))


async def pieces(reader: asyncio.StreamReader, length_bytes: int) -> AsyncIterator[bytes]:
    """A body of so many bytes as it comes, with little of it in memory."""
    while length_bytes:
        piece = await reader.read(min(_PIECE_BYTES, length_bytes))
        if not piece:
            raise MessageError("The peer stopped within a body.")
        length_bytes -= len(piece)
        yield piece
