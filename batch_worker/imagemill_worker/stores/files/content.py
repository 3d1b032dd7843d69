"""The content of a file, which is the one that was planned."""

from __future__ import annotations

import os
import stat

from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.s3 import check_length


def content_of(name: str, etag: str) -> memoryview:
    """The content of a file that must have the ETag, if one is given.

    Raises StoreFault, or OSError.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise StoreFault(FaultKind.GONE, "EISDIR", "There is no such file.")
        # as obstore has told the planner, for which no time is before 1970
        microseconds = max(status.st_mtime_ns, 0) // 1000
        if etag not in ("", f"{status.st_ino:x}-{microseconds:x}-{status.st_size:x}"):
            raise StoreFault(FaultKind.CHANGED, "412", "The file has changed.")
        body = read_all(descriptor, status.st_size)
    finally:
        os.close(descriptor)
    check_length(len(body), status.st_size)
    return memoryview(body)


def read_all(descriptor: int, size: int) -> bytes:
    """All of a file that has so many bytes, in one request; of one that grows, at least one more.

    Less if the file ends before.
    """
    body = os.read(descriptor, size + 1)
    while len(body) < size and (more := os.read(descriptor, size + 1 - len(body))):
        body += more
    return body
