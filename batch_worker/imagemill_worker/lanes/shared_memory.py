"""What the supervisor and its lanes share while they run: a work queue and a note per lane.

Both live in memory files that outlive a process. Whatever kills a lane, the supervisor can still
read which picture it was decoding.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Iterable

_INDEX = struct.Struct("<I")
# A note is two numbers of 8 bytes: the index of the picture in the decoder, or -1, and since when,
# in monotonic seconds.
_INDEX_AT, _SINCE_AT = 0, 1
_NOTE_BYTES = 16
_NOBODY = -1


class WorkQueue:
    """Indices of tasks, each taken once, by any number of threads of any number of processes.

    All read the same open file, and so move its position. The kernel does not read and move
    atomically everywhere, so a lock on the file keeps processes apart, and a lock in each process
    its threads.
    """

    def __init__(self, file_descriptor: int) -> None:
        self.file_descriptor = file_descriptor
        self._threads = threading.Lock()

    @classmethod
    def of(cls, indices: Iterable[int]) -> WorkQueue:
        queue = cls(_memory_file("queue"))
        os.write(queue.file_descriptor, b"".join(map(_INDEX.pack, indices)))
        os.lseek(queue.file_descriptor, 0, os.SEEK_SET)
        return queue

    def take(self) -> int | None:
        """The next index, or None if all are taken."""
        with self._threads:
            fcntl.lockf(self.file_descriptor, fcntl.LOCK_EX)
            try:
                entry = os.read(self.file_descriptor, _INDEX.size)
            finally:
                fcntl.lockf(self.file_descriptor, fcntl.LOCK_UN)
        return int(_INDEX.unpack(entry)[0]) if entry else None

    def close(self) -> None:
        os.close(self.file_descriptor)


class CurrentPictureNote:
    """A note of which picture a lane has in the decoder, and since when."""

    def __init__(self, file_descriptor: int | None = None) -> None:
        new = file_descriptor is None
        self.file_descriptor = (
            _memory_file("danger") if file_descriptor is None else file_descriptor
        )
        if new:
            os.ftruncate(self.file_descriptor, _NOTE_BYTES)
        self._memory = mmap.mmap(self.file_descriptor, _NOTE_BYTES)
        # each element is written in one step; struct.pack_into would write zeros first
        self._indices = memoryview(self._memory).cast("q")
        self._seconds = memoryview(self._memory).cast("d")
        if new:
            self.clear()

    def enter(self, index: int) -> None:
        """Note a picture: its time first, so that whoever sees the index sees no older time."""
        self._seconds[_SINCE_AT] = time.monotonic()
        self._indices[_INDEX_AT] = index

    def clear(self) -> None:
        self._indices[_INDEX_AT] = _NOBODY

    def read(self) -> tuple[int, float] | None:
        """Index of the picture in the decoder and its seconds there, or None."""
        index, since = self._indices[_INDEX_AT], self._seconds[_SINCE_AT]
        return None if index == _NOBODY else (index, time.monotonic() - since)

    def close(self) -> None:
        self._indices.release()
        self._seconds.release()
        self._memory.close()
        os.close(self.file_descriptor)


def _memory_file(name: str) -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
