"""Objects in and out: S3 or a folder, with the store's faults told apart from the object's."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason, Status
from imagemill_worker.errors import (
    ArgumentsError,
    PictureError,
    StoreRefusedError,
    TryAgainError,
)

Store = S3Store | LocalStore

_DENIED = (PermissionDeniedError, UnauthenticatedError)
# S3 answers SlowDown until it has split a busy prefix; a minute and a half outlasts most of it.
_RETRIES, _RETRY_SECONDS = 8, 90
_MOST_BYTES = 512 << 20  # of one object; a body is held in memory as a whole
_LONGEST_KEY_BYTES = 1024  # S3 user guide, "Creating object key names"
# Of a multipart upload: 10,000 parts of these are 160 GB, and as few requests as memory allows.
_PART_BYTES, _PARTS_AT_ONCE = 16 << 20, 2
_CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


def open_store(
    location: Location, env: Mapping[str, str] = os.environ, *, create: bool = False
) -> Store:
    """The store that `location` lies in; its keys are whole keys.

    S3 takes endpoint, region and credentials from the AWS_* variables, from the container's
    credentials endpoint or from the instance, in that order.

    Raises:
        ArgumentsError: A folder where folders are not allowed, or that is not there.
    """
    if location.is_file:
        return _open_folder(location, env, create=create)
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    return S3Store(
        location.bucket,
        endpoint=endpoint,
        virtual_hosted_style_request=not endpoint,
        client_options={
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
            "connect_timeout": timedelta(seconds=5),
            "read_timeout": timedelta(seconds=20),
            "timeout": timedelta(seconds=120),
        },
        retry_config={
            "max_retries": _RETRIES,
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=15),
                "base": 2,
            },
            "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
        },
    )


def read_document(store: Store, key: str, what: str) -> bytes:
    """A document of the run. Raises ArgumentsError when it is not there."""
    try:
        with _told_apart(f"read the {what} document", key):
            return bytes(obstore.get(store, key).bytes())
    except (FileNotFoundError, ValueError) as error:
        raise ArgumentsError(f"The {what} document {key!r} is not there.") from error


def check_readable(item: SourceObject, output_key: str) -> None:
    """Raises PictureError for an object whose size or names rule it out before it is read."""
    if item.bytes == 0:
        raise PictureError(Reason.EMPTY, "The object has no bytes.")
    if item.bytes > _MOST_BYTES:
        detail = f"The object has {item.bytes} bytes; {_MOST_BYTES} are allowed."
        raise PictureError(Reason.TOO_MANY_BYTES, detail)
    if item.key.startswith("/") or item.key.endswith("/"):
        # the store would read another key, without the slash
        detail = f"The key {item.key!r} begins or ends in a slash."
        raise PictureError(Reason.UNREADABLE_KEY, detail)
    if len(output_key.encode("utf-8", "surrogatepass")) > _LONGEST_KEY_BYTES:
        detail = f"The result's key would be longer than {_LONGEST_KEY_BYTES} bytes."
        raise PictureError(Reason.UNREADABLE_KEY, detail)


def read_object(store: Store, item: SourceObject) -> memoryview:
    """The bytes of the object that was planned, and of no other.

    Raises:
        PictureError: `gone`, `changed`, `unreadable_key`, or failed with `access_denied`.
        TryAgainError: The store cannot be reached.
    """
    body = _read_body(store, item.key, item.etag)
    if len(body) != item.bytes:
        detail = f"The object has {len(body)} bytes, but had {item.bytes} when it was planned."
        raise PictureError(Reason.CHANGED, detail)
    return body


def _read_body(store: Store, key: str, etag: str) -> memoryview:
    try:
        # documents hold ETags plain; HTTP wants them quoted (RFC 9110, 8.8.3)
        options = {"if_match": f'"{etag}"'} if etag else None
        result = obstore.get(store, key, options=options)  # type: ignore[arg-type] # a TypedDict
        body = result.bytes()
    except FileNotFoundError as error:
        raise PictureError(Reason.GONE, "The object was deleted after it was planned.") from error
    except PreconditionError as error:
        detail = "The object was overwritten after it was planned."
        raise PictureError(Reason.CHANGED, detail) from error
    except ValueError as error:
        detail = f"The key {key!r} cannot be read: it has an empty or a control-character part."
        raise PictureError(Reason.UNREADABLE_KEY, detail) from error
    except _DENIED as error:
        detail = "The store does not let the job read this object."
        raise PictureError(Reason.ACCESS_DENIED, detail, Status.FAILED) from error
    except BaseError as error:
        raise TryAgainError(f"Reading {key!r}: {_first_line(error)}") from error
    if len(body) != result.meta["size"]:
        raise TryAgainError(f"Reading {key!r}: {len(body)} of {result.meta['size']} bytes came.")
    return memoryview(body)


def write_object(store: Store, key: str, body: bytes) -> None:
    """Write the object as a whole or not at all.

    Raises:
        TryAgainError: The store cannot be reached, or the disk is full.
        StoreRefusedError: The job may not write there.
    """
    if isinstance(store, LocalStore):
        _write_file(Path(str(store.prefix), key), body)
        return
    content_type = _CONTENT_TYPES.get(key[key.rfind(".") :], "application/octet-stream")
    with _told_apart("write", key):
        obstore.put(
            store, key, body, attributes={"Content-Type": content_type}, use_multipart=False
        )


def write_file(store: Store, key: str, file: BinaryIO) -> None:
    """Write the file's content as an object, as a whole or not at all, with little in memory.

    Raises:
        TryAgainError: The store cannot be reached, or the disk is full.
        StoreRefusedError: The job may not write there.
    """
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    if isinstance(store, LocalStore):
        _copy_file(Path(str(store.prefix), key), file)
        return
    content_type = _CONTENT_TYPES.get(key[key.rfind(".") :], "application/octet-stream")
    with _told_apart("write", key):
        # a multipart upload is to be seen when its last part has come, and not before
        obstore.put(
            store,
            key,
            file,
            attributes={"Content-Type": content_type},
            use_multipart=length > _PART_BYTES,
            chunk_size=_PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
        )


def fetch_file(store: Store, key: str, file: BinaryIO) -> None:
    """Append an object's content to `file`, with little in memory.

    Raises:
        ArgumentsError: It is not there.
        TryAgainError: The store cannot be reached, or the disk is full.
        StoreRefusedError: The job may not read it.
    """
    try:
        with _told_apart("read", key):
            result = obstore.get(store, key)
            parts = result.stream(min_chunk_size=_PART_BYTES // 4)
            written = sum(file.write(part) for part in parts)
            file.flush()
    except FileNotFoundError as error:
        raise ArgumentsError(f"The object {key!r} is not there.") from error
    except OSError as error:
        raise TryAgainError(f"Writing a temporary file: {error.strerror}.") from error
    if written != result.meta["size"]:
        raise TryAgainError(f"Reading {key!r}: {written} of {result.meta['size']} bytes came.")


@contextmanager
def _told_apart(what: str, key: str) -> Iterator[None]:
    """A store's fault as one that another attempt may end otherwise, or as one that it will not."""
    try:
        yield
    except _DENIED as error:
        raise StoreRefusedError(f"The job may not {what} {key!r}.") from error
    except BaseError as error:
        raise TryAgainError(f"Could not {what} {key!r}: {_first_line(error)}") from error


def _write_file(path: Path, body: bytes) -> None:
    """As a store does it, but so that the next attempt overwrites what a killed one left behind."""
    _copy_file(path, io.BytesIO(body))


def _copy_file(path: Path, source: BinaryIO) -> None:
    part = path.with_name(f".{sha256(path.name.encode()).hexdigest()[:32]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            shutil.copyfileobj(source, file, _PART_BYTES)
        part.replace(path)
    except PermissionError as error:
        raise StoreRefusedError(f"The job may not write {str(path)!r}.") from error
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR):
            detail = f"A folder cannot hold a file of this name: {error.strerror}."
            raise PictureError(Reason.UNREADABLE_KEY, detail) from error
        raise TryAgainError(f"Writing {str(path)!r}: {error.strerror}.") from error


def _open_folder(location: Location, env: Mapping[str, str], *, create: bool) -> Store:
    if env.get("ALLOW_FILE_URIS") != "true":
        raise ArgumentsError(f"{location} is not allowed: this job reads and writes S3 only.")
    try:
        return LocalStore(location.folder, mkdir=create)
    except (BaseError, OSError, ValueError) as error:
        raise ArgumentsError(f"The folder {location.folder!r} cannot be opened.") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
