"""Reads and writes objects of one location; its errors say whose fault it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import BinaryIO, Protocol, TypeVar

from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Reason, Status
from imagemill_worker.errors import ArgumentsError, PictureError, TryAgainError
from imagemill_worker.stores.evidence import Evidence
from imagemill_worker.stores.fault_errors import job_error, read_error, write_error
from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.retries import with_retries
from imagemill_worker.stores.weather import Weather

_READS_OF_DAMAGED = 4

Result = TypeVar("Result")


class Objects(Protocol):
    """What `S3Objects` and `FolderObjects` offer, one try per request. All raise StoreFault."""

    def get(self, key: str, etag: str = "") -> memoryview: ...
    def put(self, key: str, body: bytes, *, durable: bool = False) -> str: ...
    def create(self, key: str, body: bytes) -> bool: ...
    def put_file(self, key: str, file: BinaryIO) -> None: ...
    def fetch(self, key: str, file: BinaryIO) -> None: ...
    def head(self, key: str) -> None: ...
    def keys(self, prefix: str) -> list[str]: ...
    def remove(self, keys: Iterable[str]) -> None: ...


@dataclass(slots=True)
class Store:
    """Objects of a bucket or a folder; requests obey the process's `Weather`.

    What fails for one object while others succeed is a PictureError. What fails for all objects, or
    for a document that the job needs, is a TryAgainError, or a StoreRefusedError if another attempt
    would not help.
    """

    objects: Objects
    weather: Weather
    reads: Evidence = field(default_factory=Evidence)
    writes: Evidence = field(default_factory=Evidence)

    def read_document(self, key: str, what: str) -> bytes:
        """A document of the run. Raises ArgumentsError if it is not there."""
        body = self.find_document(key)
        if body is None:
            raise ArgumentsError(f"The {what} document {key!r} is not there.")
        return body

    def find_document(self, key: str) -> bytes | None:
        """A document, or None. Raises TryAgainError or StoreRefusedError."""
        try:
            return bytes(self._with_retries(self.reads, key, lambda: self.objects.get(key)))
        except StoreFault as fault:
            if fault.kind in (FaultKind.GONE, FaultKind.NAME):
                return None
            raise job_error(fault, "read", key) from fault

    def find_dispensable(self, key: str) -> bytes | None:
        """A document that the job can do without: None also if it alone cannot be read.

        Raises TryAgainError or StoreRefusedError for what ails the whole store.
        """
        try:
            return bytes(self._with_retries(self.reads, key, lambda: self.objects.get(key)))
        except StoreFault as fault:
            if fault.kind is FaultKind.OF_ALL:
                raise job_error(fault, "read", key) from fault
            return None

    def read_object(self, item: SourceObject, digest: str = "") -> memoryview:
        """The bytes of the object that was planned, and of no other.

        `digest` is the SHA-256 that they must have, if it is known; damaged bytes are read again.
        Raises PictureError or TryAgainError.
        """
        for _ in range(_READS_OF_DAMAGED):
            try:
                body = self._with_retries(
                    self.reads, item.key, lambda: self.objects.get(item.key, item.etag)
                )
            except StoreFault as fault:
                raise read_error(fault, item.key, self.reads) from fault
            if not digest:
                _check_length(item, body)
                return body
            if sha256(body).hexdigest() == digest:
                return body
        detail = f"The object {item.key!r} is not what was written, however often it is read."
        raise PictureError(Reason.DAMAGED, detail, Status.FAILED)

    def write_object(self, key: str, body: bytes) -> str:
        """Write a result whole or not at all, and return its ETag.

        Raises PictureError, TryAgainError, or StoreRefusedError if the job may write nothing.
        """
        try:
            return self._with_retries(self.writes, key, lambda: self.objects.put(key, body))
        except StoreFault as fault:
            raise write_error(fault, key, self.writes) from fault

    def write_document(self, key: str, body: bytes) -> None:
        """Write a document durably. Raises TryAgainError or StoreRefusedError."""
        self._do_for_job(key, "write", lambda: self.objects.put(key, body, durable=True))

    def create_document(self, key: str, body: bytes) -> bool:
        """Write a document where there is none; whether one was written.

        When it was not, the one that is there may still be this one, whose answer was lost. Raises
        TryAgainError or StoreRefusedError.
        """
        return self._do_for_job(key, "write", lambda: self.objects.create(key, body))

    def try_write_document(self, key: str, body: bytes) -> bool:
        """Try once to write a document that the job can do without; return whether it worked."""
        try:
            self.objects.put(key, body)
        except StoreFault:
            return False
        return True

    def write_file(self, key: str, file: BinaryIO) -> None:
        """Write a file's content as an object. Raises TryAgainError or StoreRefusedError."""
        self._do_for_job(key, "write", lambda: self.objects.put_file(key, file))

    def fetch_file(self, key: str, file: BinaryIO) -> None:
        """Append an object's content to a file.

        Raises ArgumentsError if it is not there, TryAgainError or StoreRefusedError.
        """
        start = file.tell()

        def fetch() -> None:
            file.seek(start)
            file.truncate()
            self.objects.fetch(key, file)
            file.flush()

        try:
            self._with_retries(self.reads, key, fetch)
        except StoreFault as fault:
            if fault.kind is FaultKind.GONE:
                raise ArgumentsError(f"The object {key!r} is not there.") from fault
            raise job_error(fault, "read", key) from fault
        except OSError as error:
            raise TryAgainError(f"Writing a temporary file: {error.strerror}.") from error

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted. Raises TryAgainError or StoreRefusedError."""
        return self._do_for_job(prefix, "list", lambda: self.objects.keys(prefix))

    def remove(self, keys: Iterable[str]) -> None:
        """Delete objects. Raises TryAgainError or StoreRefusedError."""
        listed = list(keys)
        if listed:
            self._do_for_job(listed[0], "remove", lambda: self.objects.remove(listed))

    def _do_for_job(self, key: str, what: str, action: Callable[[], Result]) -> Result:
        evidence = self.reads if what == "list" else self.writes
        try:
            return self._with_retries(evidence, key, action)
        except StoreFault as fault:
            raise job_error(fault, what, key) from fault

    def _with_retries(self, evidence: Evidence, key: str, action: Callable[[], Result]) -> Result:
        prober = self.objects if evidence is self.reads else None
        return with_retries(action, key, evidence, self.weather, prober)


def _check_length(item: SourceObject, body: memoryview) -> None:
    if len(body) != item.bytes:
        detail = f"The object has {len(body)} bytes, but had {item.bytes} when it was planned."
        raise PictureError(Reason.CHANGED, detail)
