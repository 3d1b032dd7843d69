"""Long texts at an address, read piece by piece."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import IO, Any

from imagemill_app.stores import store_of
from imagemill_contract.locations import split_object_address

_MOST_LINE_CHARACTERS = 1_000_000
_PIECE_BYTES = 1 << 20


def opened_text(address: str) -> IO[str]:
    """The text at an address, unpacked if its name ends in `.gz`, without a byte order mark.

    Raises FileNotFoundError if there is none; reading it raises ValueError, OSError, EOFError or
    zlib.error for what is no text.
    """
    location, key = split_object_address(address, "manifest")
    found = store_of(location.root).get(key).stream(min_chunk_size=_PIECE_BYTES)
    packed = io.BufferedReader(_Pieces(found), _PIECE_BYTES)
    # closed by whoever reads it
    body = gzip.GzipFile(fileobj=packed) if key.endswith(".gz") else packed
    return io.TextIOWrapper(body, encoding="utf-8-sig", newline="")


def whole_lines(text: IO[str], most_characters: int) -> Iterator[str]:
    """The lines of a text. Raises ValueError if it, or one of them, is too long."""
    left = most_characters
    while line := text.readline(_MOST_LINE_CHARACTERS):
        if len(line) == _MOST_LINE_CHARACTERS:
            raise ValueError(f"it has a line of more than {_MOST_LINE_CHARACTERS:,} characters")
        left -= len(line)
        if left < 0:  # a kilobyte can unpack to a megabyte
            raise ValueError(f"it has more than {most_characters:,} characters")
        yield line


class _Pieces(io.RawIOBase):
    """A body that comes in pieces, as a file."""

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        into = memoryview(buffer)
        length = min(len(into), len(self._held))
        into[:length] = self._held[:length]
        self._held = self._held[length:]
        return length
