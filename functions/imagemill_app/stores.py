"""Objects in and out: one store for each bucket or folder."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, S3Store

from imagemill_app.counted_store import CountedStore
from imagemill_contract.locations import Location
from imagemill_contract.reporting.request_counts import RequestCounts


@cache
def request_counts() -> RequestCounts:
    """All requests to S3 that this process has made."""
    return RequestCounts()


@cache
def store_of(root: str) -> CountedStore:
    """The object store on a location's root: `s3://bucket` or `file:///folder`."""
    location = Location.parse(root + "/", "location")
    if location.is_file:
        return CountedStore(LocalStore(location.folder, mkdir=True), RequestCounts())
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    store = S3Store(location.bucket, client_options={"allow_http": endpoint.startswith("http://")})
    return CountedStore(store, request_counts())


@dataclass(frozen=True, slots=True)
class StoreAt:
    """The objects below a location, as `imagemill_dataset` wants its store."""

    location: Location

    def read(self, key: str) -> bytes:
        return read_bytes(self.location, key)

    def write(self, key: str, body: bytes) -> None:
        write_bytes(self.location, key, body)

    def copy(self, key: str, to: str) -> None:
        prefix = self.location.prefix
        store_of(self.location.root).copy(prefix + key, prefix + to)

    def keys(self, folder: str) -> list[str]:
        return sorted(list_keys(self.location, folder))

    def remove(self, keys: Iterable[str]) -> None:
        remove(self.location, list(keys))


def read_bytes(location: Location, key: str) -> bytes:
    """The whole object. Raises FileNotFoundError when there is none."""
    return store_of(location.root).get(location.prefix + key).bytes().to_bytes()


def write_bytes(location: Location, key: str, body: bytes) -> str:
    """Write an object, whole or not at all, and return its address."""
    store_of(location.root).put(location.prefix + key, body)
    return location.address_of(location.prefix + key)


def write_parts(location: Location, key: str, parts: Iterable[bytes]) -> None:
    """Write an object of any length, whole or not at all, without holding it."""
    store_of(location.root).put_parts(location.prefix + key, parts)


def create_bytes(location: Location, key: str, body: bytes) -> bool:
    """Write an object where there is none, and say whether this one was written.

    Of any number of writers at once one succeeds: S3 checks `If-None-Match: *`, a folder the name.
    """
    try:
        store_of(location.root).put(location.prefix + key, body, mode="create")
    except AlreadyExistsError:
        return False
    return True


def length_of(location: Location, key: str) -> int | None:
    """How many bytes an object has; None when there is none."""
    try:
        return store_of(location.root).head(location.prefix + key)["size"]
    except FileNotFoundError:
        return None


def exists(location: Location, key: str) -> bool:
    """Whether there is such an object."""
    return length_of(location, key) is not None


def etag_of(location: Location, key: str) -> str | None:
    """The ETag of an object, without quotes; None when there is none."""
    try:
        meta = store_of(location.root).head(location.prefix + key)
    except FileNotFoundError:
        return None
    return (meta["e_tag"] or "").strip('"')


def list_etags(location: Location, folder: str) -> dict[str, str]:
    """ETags of all objects below `folder`, by their keys relative to the location."""
    pages = store_of(location.root).list(location.prefix + folder)
    found = (meta for page in pages for meta in page)
    return {
        meta["path"].removeprefix(location.prefix): (meta["e_tag"] or "").strip('"')
        for meta in found
    }


def list_keys(location: Location, folder: str) -> list[str]:
    """Keys of all objects below `folder`, relative to the location."""
    return list(list_lengths(location, folder))


def keys_between(location: Location, folder: str, first: str, last: str) -> Iterator[str]:
    """Keys of the objects below `folder` from `first` to `last`, in no order in a folder."""
    before = location.prefix + first[:-1]  # comes before it, and a listing begins after that
    start = len(location.prefix)
    for page in store_of(location.root).list_pages(location.prefix + folder, offset=before):
        paths = page.paths()
        keys = [path[start:] for path in paths] if start else paths
        if location.is_file:
            yield from (key for key in keys if first <= key <= last)
            continue
        yield from keys[bisect_left(keys, first) : bisect_right(keys, last)]
        if keys and keys[-1] > last:
            return


def list_lengths(location: Location, folder: str) -> dict[str, int]:
    """Bytes of all objects below `folder`, by their keys relative to the location."""
    pages = store_of(location.root).list(location.prefix + folder)
    found = (meta for page in pages for meta in page)
    return {meta["path"].removeprefix(location.prefix): meta["size"] for meta in found}


def remove(location: Location, keys: list[str]) -> None:
    """Delete objects; those that are not there are no fault."""
    store = store_of(location.root)
    paths = [location.prefix + key for key in keys]
    if not location.is_file:
        store.delete(paths)
        return
    for path in paths:
        with suppress(FileNotFoundError):
            store.delete(path)


def last_modified(location: Location, folder: str) -> datetime | None:
    """When the newest object below `folder` was written; None without one."""
    pages = store_of(location.root).list(location.prefix + folder)
    return max((meta["last_modified"] for page in pages for meta in page), default=None)


def remove_folder(location: Location, folder: str, keys: list[str]) -> None:
    """Delete objects below `folder`; folders of files that are empty then go, too."""
    remove(location, keys)
    if not location.is_file:
        return
    root = Path(location.folder)
    emptied = {root / folder, *(parent for key in keys for parent in (root / key).parents)}
    inside = [path for path in emptied if root in path.parents]
    for path in sorted(inside, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # not there, or another's files are in it
            path.rmdir()
