"""What the supervisor and its lanes share while they run: a queue of work and a note of danger.

Both live in memory files that outlive a process: whatever kills a lane, the supervisor still reads
which picture it was decoding.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass

_INDEX = struct.Struct("<I")
# A note is two numbers, each written in one step: the index of the picture in the decoder, or -1,
# and the monotonic seconds at which it came there.
_INDEX_AT, _SINCE_AT = 0, 8
_NOTED_INDEX, _NOTED_SINCE = struct.Struct("<q"), struct.Struct("<d")
_NOTE_BYTES = 16
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """Indices of tasks, taken by any number of threads of any number of processes.

    All of them read the same open file, whose position the kernel moves in one step with each read.
    """

    file_descriptor: int

    @classmethod
    def of(cls, indices: Iterable[int]) -> WorkQueue:
        queue = cls(_memory_file("queue"))
        os.write(queue.file_descriptor, b"".join(map(_INDEX.pack, indices)))
        os.lseek(queue.file_descriptor, 0, os.SEEK_SET)
        return queue

    def take(self) -> int | None:
        """The next index, or None when all are taken."""
        entry = os.read(self.file_descriptor, _INDEX.size)
        return int(_INDEX.unpack(entry)[0]) if entry else None

    def close(self) -> None:
        os.close(self.file_descriptor)


class DangerNote:
    """Which picture a lane has in the decoder, and since when."""

    def __init__(self, file_descriptor: int | None = None) -> None:
        new = file_descriptor is None
        self.file_descriptor = (
            _memory_file("danger") if file_descriptor is None else file_descriptor
        )
        if new:
            os.ftruncate(self.file_descriptor, _NOTE_BYTES)
        self._memory = mmap.mmap(self.file_descriptor, _NOTE_BYTES)
        if new:
            self.clear()

    def enter(self, index: int) -> None:
        """Note a picture: its time first, so that whoever sees the index sees no older time."""
        _NOTED_SINCE.pack_into(self._memory, _SINCE_AT, time.monotonic())
        _NOTED_INDEX.pack_into(self._memory, _INDEX_AT, index)

    def clear(self) -> None:
        _NOTED_INDEX.pack_into(self._memory, _INDEX_AT, _NOBODY)

    def read(self) -> tuple[int, float] | None:
        """Index of the picture in the decoder and its seconds there, or None."""
        (index,) = _NOTED_INDEX.unpack_from(self._memory, _INDEX_AT)
        (since,) = _NOTED_SINCE.unpack_from(self._memory, _SINCE_AT)
        return None if index == _NOBODY else (index, time.monotonic() - since)

    def close(self) -> None:
        self._memory.close()
        os.close(self.file_descriptor)


def _memory_file(name: str) -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
