"""Objects in a folder of this machine. Each is there whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from imagemill_worker.stores.faults import FaultKind, StoreFault, fault_of, fault_of_system
from imagemill_worker.stores.files import whole_files
from imagemill_worker.stores.files.content import content_of

_COPY_BYTES = 256 << 10  # more at once is slower: memory would come fresh from the system
_TRIES_TO_MAKE_FOLDERS = 3
_NO_NAMES = frozenset({"", ".", ".."})
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}

Result = TypeVar("Result")


class FolderObjects:
    """The files below a folder. Keys are paths relative to it; every method raises StoreFault."""

    def __init__(self, folder: str, *, create: bool = False) -> None:
        try:
            self._store = LocalStore(folder, mkdir=create)
        except (BaseError, OSError, ValueError) as error:
            raise fault_of(error) from error
        self._folder = Path(folder)
        self._has_unnamed = bool(whole_files.UNNAMED)

    def get(self, key: str, etag: str = "") -> memoryview:
        """The whole content of the file, which must have the ETag, if one is given."""
        name = self._name(key)  # read here: obstore would take two threads of its own in turn
        try:
            return content_of(name, etag)
        except OSError as error:
            raise fault_of_system(error) from error

    def put(self, key: str, body: bytes, *, durable: bool = False) -> str:
        """Write the file whole or not at all; if `durable`, it survives a crash of the machine.

        Returns no ETag: a file's ETag changes with each write, even of the same bytes.
        """
        # whatever keeps a file from being made at once, the thorough way finds it
        is_new = self._has_unnamed and not durable and whole_files.link_new(self._name(key), body)
        if not (is_new or whole_files.holds(self._path(key), body)):
            self._write(key, io.BytesIO(body), durable=durable)
        return ""

    def create(self, key: str, body: bytes) -> bool:
        """Write a file where there is none, for good; whether it was written.

        Where the file system has no hard links it is there without its content for a moment.
        """
        path = self._path(key)

        def create() -> bool:
            with suppress(FileExistsError):
                try:
                    self._create(path, body)
                except OSError as error:
                    if error.errno not in _NO_HARD_LINKS:
                        raise
                    with path.open("xb") as file:
                        whole_files.fill(file, body)
                return True
            return False

        return _in_folder_of(path, create)

    def _create(self, path: Path, body: bytes) -> None:
        """Raises FileExistsError, and OSError where there are no hard links."""
        part = whole_files.part_of(path)
        try:
            with self._opened(part) as file:
                whole_files.fill(file, body)
                if self._has_unnamed:
                    whole_files.link_unnamed(file.fileno(), path)
                else:
                    os.link(part, path)
        finally:
            part.unlink(missing_ok=True)

    def put_file(self, key: str, file: BinaryIO) -> None:
        """Write the content of another file, durably."""
        self._write(key, file, durable=True)

    def fetch(self, key: str, file: BinaryIO) -> None:
        """Append the file's content to another."""
        with _faults():
            source = self._path(key).open("rb")
        with source:
            shutil.copyfileobj(source, file, _COPY_BYTES)

    def head(self, key: str) -> None:
        with _faults():
            self._path(key).stat()

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        try:
            pages = obstore.list(self._store, prefix)
            return sorted(meta["path"] for page in pages for meta in page)
        except (BaseError, ValueError) as error:
            raise fault_of(error) from error

    def remove(self, keys: Iterable[str]) -> None:
        """Delete files; missing ones are no error."""
        for key in keys:
            with _faults(), suppress(FileNotFoundError):
                self._path(key).unlink()
                self._remove_emptied(self._path(key).parent)

    def _remove_emptied(self, folder: Path) -> None:
        """Remove folders that have become empty: a bucket has no empty folders."""
        while folder != self._folder:
            try:
                folder.rmdir()
            except OSError:  # another file is in it, or it is gone
                return
            folder = folder.parent

    def _path(self, key: str) -> Path:
        return Path(self._name(key))

    def _name(self, key: str) -> str:
        """Raises StoreFault for a key that would lead out of the folder."""
        if "\0" in key or not _NO_NAMES.isdisjoint(key.split("/")):
            raise StoreFault(FaultKind.NAME, "InvalidName", f"{key!r} is no path in a folder.")
        return f"{self._folder}/{key}"

    def _write(self, key: str, source: BinaryIO, *, durable: bool) -> None:
        path = self._path(key)

        def write() -> None:
            source.seek(0)
            self._put_in_place(path, source, durable=durable)

        _in_folder_of(path, write)

    def _put_in_place(self, path: Path, source: BinaryIO, *, durable: bool) -> None:
        """Write beside `path` under a name that no other writer has, or none, then rename."""
        part = whole_files.part_of(path)
        try:
            with self._opened(part) as file:
                shutil.copyfileobj(source, file, _COPY_BYTES)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
                is_there = self._has_unnamed and whole_files.named(file.fileno(), path, part)
            if not is_there:
                part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _opened(self, part: Path) -> BinaryIO:
        if self._has_unnamed:
            try:
                return open(os.open(part.parent, whole_files.UNNAMED | os.O_WRONLY, 0o666), "wb")  # noqa: PTH123 # a descriptor
            except FileNotFoundError:
                raise
            except (IsADirectoryError, OSError):
                self._has_unnamed = False  # this file system, or kernel, has none
        return part.open("xb")


def _in_folder_of(path: Path, action: Callable[[], Result]) -> Result:
    """The result of an action on a file, for which its folder is made. Raises StoreFault."""
    with _faults():
        for _ in range(_TRIES_TO_MAKE_FOLDERS):
            try:
                return action()
            except FileNotFoundError:  # no folder yet, or another has just removed it as empty
                path.parent.mkdir(parents=True, exist_ok=True)
        raise FileNotFoundError(errno.ENOENT, "The folder is removed again and again")


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise fault_of_system(error) from error
