"""Spools: unnamed temporary files in which lanes leave what is packed later.

Each lane appends to a spool of its own. The supervisor, which made the file, reads from it, even
after the lane has died. Products are packed in key order, so they wait on disk, not in memory.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from imagemill_dataset.shards import PixelSums
from imagemill_worker.errors import TryAgainError

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Spooled:
    """A product that waits to be packed.

    Attributes:
        file_descriptor: The spool.
        offset: Where it begins, in bytes.
        length: How many bytes it has.
        pixels: Sums over the pixels of its picture, if the stage takes them.
        smaller: The same in smaller sizes, the largest of them first.
    """

    file_descriptor: int
    offset: int
    length: int
    pixels: PixelSums = field(default_factory=PixelSums)
    smaller: tuple[Spooled, ...] = ()

    @property
    def sizes(self) -> tuple[Spooled, ...]:
        """It and its smaller sizes."""
        return (self, *self.smaller)

    @property
    def total_bytes(self) -> int:
        return self.length + sum(item.length for item in self.smaller)

    def read(self) -> bytes:
        return read_at(self.file_descriptor, self.offset, self.length)


class SpoolWriter:
    """The writing end of a spool, for the threads of one lane."""

    def __init__(self, file_descriptor: int) -> None:
        self._file_descriptor = file_descriptor
        self._end = os.fstat(file_descriptor).st_size  # after what an earlier lane has left
        self._lock = threading.Lock()

    def append(self, body: bytes) -> int:
        """Append a product and return its offset. Raises TryAgainError if the disk is full."""
        with self._lock:
            offset, self._end = self._end, self._end + len(body)
        written = 0
        with disk_errors_mapped():
            while written < len(body):
                written += os.pwrite(
                    self._file_descriptor, body[written:] if written else body, offset + written
                )
        return offset


@contextmanager
def disk_errors_mapped() -> Iterator[None]:
    """Turn errors of the temporary disk, such as a full one, into TryAgainError."""
    try:
        yield
    except OSError as error:
        raise TryAgainError(f"Writing a temporary file: {error.strerror}.") from error


def temporary_file() -> BinaryIO:
    """An unnamed file, which disappears when it is closed or its process ends."""
    try:
        return cast("BinaryIO", tempfile.TemporaryFile(prefix="imagemill-"))
    except OSError as error:
        raise TryAgainError(f"Making a temporary file: {error.strerror}.") from error


def read_at(file_descriptor: int, offset: int, length: int) -> bytes:
    """Read exactly `length` bytes. Raises TryAgainError if the file is shorter."""
    parts = []
    while length:
        data = os.pread(file_descriptor, length, offset)
        if not data:
            raise TryAgainError("A temporary file has become shorter.")
        parts.append(data)
        offset, length = offset + len(data), length - len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def sha256_of(file: BinaryIO) -> str:
    """Digest of a whole file, in hexadecimal digits."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()
