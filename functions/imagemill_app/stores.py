"""Objects in and out: one store for each bucket or folder."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache

from obstore.store import LocalStore, ObjectStore, S3Store

from imagemill_contract.locations import Location


@cache
def store_of(root: str) -> ObjectStore:
    """The object store on a location's root: `s3://bucket` or `file:///folder`."""
    location = Location.parse(root + "/", "location")
    if location.is_file:
        return LocalStore(location.folder, mkdir=True)
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    return S3Store(location.bucket, client_options={"allow_http": endpoint.startswith("http://")})


def read_bytes(location: Location, key: str) -> bytes:
    """The whole object. Raises FileNotFoundError when there is none."""
    return store_of(location.root).get(location.prefix + key).bytes().to_bytes()


def write_bytes(location: Location, key: str, body: bytes) -> str:
    """Write an object, whole or not at all, and return its address."""
    store_of(location.root).put(location.prefix + key, body)
    return location.address_of(location.prefix + key)


def exists(location: Location, key: str) -> bool:
    """Whether there is such an object."""
    try:
        store_of(location.root).head(location.prefix + key)
    except FileNotFoundError:
        return False
    return True


def list_keys(location: Location, folder: str) -> list[str]:
    """Keys of all objects below `folder`, relative to the location."""
    pages = store_of(location.root).list(location.prefix + folder)
    return [meta["path"].removeprefix(location.prefix) for page in pages for meta in page]


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
