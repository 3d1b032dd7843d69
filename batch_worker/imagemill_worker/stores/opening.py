"""Opens the store at an address."""

from __future__ import annotations

import os
from collections.abc import Mapping

from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_worker.errors import ArgumentsError, PictureError
from imagemill_worker.stores.faults import StoreFault
from imagemill_worker.stores.store import Objects, Store
from imagemill_worker.stores.weather import PATIENCE_SECONDS, Weather

_MOST_BYTES = 512 << 20  # of one object; a body is held in memory as a whole


def patience_seconds(env: Mapping[str, str] = os.environ) -> float:
    """How long a job waits for a store that is down: a share of the job's own timeout."""
    return float(env.get("STORE_PATIENCE_SECONDS", PATIENCE_SECONDS))


def open_store(
    location: Location,
    env: Mapping[str, str] = os.environ,
    *,
    create: bool = False,
    weather: Weather | None = None,
) -> Store:
    """The store that `location` lies in; its keys are whole keys.

    Raises:
        ArgumentsError: It is a folder, and folders are not allowed or it does not exist.
    """
    weather = weather or Weather(patience_seconds=patience_seconds(env))
    if location.is_file:
        return Store(_folder(location, env, create=create), weather)
    from imagemill_worker.stores.counted import CountedObjects
    from imagemill_worker.stores.s3 import S3Objects

    return Store(CountedObjects(S3Objects(location.bucket, env), weather.requests), weather)


def check_readable(item: SourceObject) -> None:
    """Raises PictureError for an object that is empty or too large, before it is read."""
    if item.bytes == 0:
        raise PictureError(Reason.EMPTY, "The object has no bytes.")
    if item.bytes > _MOST_BYTES:
        detail = f"The object has {item.bytes} bytes; {_MOST_BYTES} are allowed."
        raise PictureError(Reason.TOO_MANY_BYTES, detail)


def _folder(location: Location, env: Mapping[str, str], *, create: bool) -> Objects:
    if env.get("ALLOW_FILE_URIS") != "true":
        raise ArgumentsError(f"{location} is not allowed: this job reads and writes S3 only.")
    from imagemill_worker.stores.files.folder import FolderObjects

    try:
        return FolderObjects(location.folder, create=create)
    except StoreFault as fault:
        raise ArgumentsError(f"The folder {location.folder!r} cannot be opened.") from fault
