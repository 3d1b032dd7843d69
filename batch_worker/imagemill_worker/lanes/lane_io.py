"""Where a lane reads its bodies and puts its products: a store, or a local file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from imagemill_worker.errors import TryAgainError
from imagemill_worker.lanes.tasks import Task
from imagemill_worker.pixels import FileBytes
from imagemill_worker.spool import SpoolWriter, read_at
from imagemill_worker.stores.opening import check_readable
from imagemill_worker.stores.source_md5 import SourceProof
from imagemill_worker.stores.store import Store


@dataclass(frozen=True, slots=True)
class Put:
    """Where a product was put: with an ETag in a store, or at an offset in the lane's spool."""

    etag: str = ""
    offset: int | None = None


class Source(Protocol):
    def read(self, task: Task) -> FileBytes:
        """The bytes of the task's object. Raises PictureError or TryAgainError."""


class Sink(Protocol):
    def write(self, task: Task, body: bytes) -> Put:
        """Put a product away. Raises PictureError, TryAgainError or StoreRefusedError."""


@dataclass(frozen=True, slots=True)
class StoreSource:
    """Objects of a store; `proof` proves those of the user, where that is wanted."""

    store: Store
    proof: SourceProof | None = None

    def read(self, task: Task) -> FileBytes:
        check_readable(task.read)
        if self.proof is not None:
            return self.proof.read(self.store, task.read)
        return self.store.read_object(task.read, task.digest)


@dataclass(frozen=True, slots=True)
class FileSource:
    """The intermediate shard of the resize job, in a local file."""

    file_descriptor: int

    def read(self, task: Task) -> FileBytes:
        body = read_at(self.file_descriptor, task.offset, task.read.bytes)
        if hashlib.sha256(body).hexdigest() != task.digest:
            raise TryAgainError(f"The resized picture of {task.key!r} came damaged.")
        return body


@dataclass(frozen=True, slots=True)
class StoreSink:
    store: Store

    def write(self, task: Task, body: bytes) -> Put:
        return Put(etag=self.store.write_object(task.output_key, body))


@dataclass(frozen=True, slots=True)
class SpoolSink:
    spool: SpoolWriter

    def write(self, task: Task, body: bytes) -> Put:
        return Put(offset=self.spool.append(body))
