"""Where a lane takes its bodies from and where it puts its products: a store, or a local file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from imagemill_worker import stores
from imagemill_worker.body import Body
from imagemill_worker.errors import TryAgainError
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.spool import SpoolWriter, read_at


class Source(Protocol):
    def read(self, task: Task) -> Body:
        """The bytes of the task's object. Raises PictureError or TryAgainError."""


class Sink(Protocol):
    def write(self, task: Task, body: bytes) -> tuple[int, int] | None:
        """Offset and length in the lane's spool, or None where a store has the product now."""


@dataclass(frozen=True, slots=True)
class StoreSource:
    store: stores.Store

    def read(self, task: Task) -> Body:
        stores.check_readable(task.read, task.output_key)
        return stores.read_object(self.store, task.read)


@dataclass(frozen=True, slots=True)
class FileSource:
    """The intermediate shard of the resize job, fetched as a whole."""

    file_descriptor: int

    def read(self, task: Task) -> Body:
        body = read_at(self.file_descriptor, task.offset, task.read.bytes)
        if hashlib.sha256(body).hexdigest() != task.read.etag:
            raise TryAgainError(f"The resized picture of {task.key!r} came damaged.")
        return body


@dataclass(frozen=True, slots=True)
class StoreSink:
    store: stores.Store

    def write(self, task: Task, body: bytes) -> None:
        stores.write_object(self.store, task.output_key, body)


@dataclass(frozen=True, slots=True)
class SpoolSink:
    spool: SpoolWriter

    def write(self, task: Task, body: bytes) -> tuple[int, int]:
        return self.spool.append(body)
