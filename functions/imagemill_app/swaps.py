"""Replaces an object only if it still is the one that was read."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from obstore.exceptions import AlreadyExistsError, GenericError, PreconditionError

from imagemill_app.stores import create_bytes, read_bytes, store_of, write_bytes
from imagemill_contract.locations import Location

# A conditional request is not tried again by the client: it cannot tell whether it was heard.
_LOST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was read. `etag` has its quotes."""

    body: bytes
    etag: str


def find(location: Location, key: str) -> Found | None:
    """The whole object with its ETag; None when there is none."""
    try:
        result = store_of(location.root).get(location.prefix + key)
    except FileNotFoundError:
        return None
    return Found(result.bytes().to_bytes(), result.meta["e_tag"] or "")


def swap(location: Location, key: str, body: bytes, found: Found | None) -> bool:
    """Write an object if it still is as it was found, and say whether it was written.

    Of any number of writers at once one succeeds: S3 checks the ETag, a folder has a lock.
    """
    if location.is_file:
        return _swap_file(location, key, body, found)
    for _ in range(_LOST_ANSWERS):
        try:
            return _swap_object(location, key, body, found)
        except GenericError:  # the answer may be lost, and the object may be written
            now = find(location, key)
            if now is not None and now.body == body:
                return True
            if now != found:
                return False
    return _swap_object(location, key, body, found)


def _swap_object(location: Location, key: str, body: bytes, found: Found | None) -> bool:
    if found is None:
        return create_bytes(location, key, body)
    store = store_of(location.root)
    try:
        store.put(location.prefix + key, body, mode={"e_tag": found.etag})
    except (PreconditionError, AlreadyExistsError, FileNotFoundError):
        return False
    return True


def _swap_file(location: Location, key: str, body: bytes, found: Found | None) -> bool:
    with _locked(Path(location.folder, location.prefix + key)):
        try:
            now = read_bytes(location, key)
        except FileNotFoundError:
            now = None
        if now != (found.body if found else None):
            return False
        write_bytes(location, key, body)
        return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock beside a file. It stays: a file that is removed could be locked twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as file:
        with suppress(OSError):  # a file system without locks: runs on it take turns, or lose rows
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield
