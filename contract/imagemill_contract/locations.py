"""Addresses of folders and objects: `s3://bucket/prefix/` and `file:///folder/`.

An `s3://` address holds the key as it is, without percent-encoding; a `file://` address is a URL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from imagemill_contract.errors import LocationError
from imagemill_contract.fields import shown

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Location:
    """A folder of objects.

    Attributes:
        root: `s3://bucket` or `file:///absolute/folder`: where an object store is opened.
        prefix: The start of every key: empty, or ending in a slash. Always empty for files, whose
            keys are relative to the folder.
    """

    root: str
    prefix: str = ""

    @classmethod
    def parse(cls, address: object, where: str) -> Location:
        """Read an address. Raises LocationError, which names the field `where`."""
        if not isinstance(address, str):
            raise LocationError(f"{where}: {shown(address)} is not an address.")
        if address.startswith("s3://"):
            bucket, _, prefix = address.removeprefix("s3://").partition("/")
            if not _BUCKET.fullmatch(bucket):
                raise LocationError(f"{where}: {shown(address)} has no valid bucket name.")
            return cls(f"s3://{bucket}", _as_folder(prefix))
        if address.startswith("file:///"):
            path = PurePosixPath(unquote(address.removeprefix("file://")))
            if ".." in path.parts:
                raise LocationError(f"{where}: {shown(address)} must not contain '..'.")
            return cls.of_folder(path)
        raise LocationError(
            f"{where}: {shown(address)} is not allowed; it must be s3://bucket/prefix/ "
            "or file:///folder/."
        )

    @classmethod
    def of_folder(cls, path: PurePosixPath) -> Location:
        """The location of a folder of this machine; `path` is absolute."""
        return cls("file://" + quote(str(path)))

    @property
    def is_file(self) -> bool:
        return self.root.startswith("file://")

    @property
    def bucket(self) -> str:
        """Name of the bucket. Raises LocationError for a folder of files."""
        if self.is_file:
            raise LocationError(f"{self} is not in a bucket.")
        return self.root.removeprefix("s3://")

    @property
    def folder(self) -> str:
        """Path of the folder. Raises LocationError for a bucket."""
        if not self.is_file:
            raise LocationError(f"{self} is not a folder of this machine.")
        return unquote(self.root.removeprefix("file://"))

    def address_of(self, key: str) -> str:
        """The address of one object; `key` is its whole key in the store."""
        return f"{self.root}/{quote(key) if self.is_file else key}"

    def contains(self, other: Location) -> bool:
        """Whether everything in `other` is also in this location."""
        if self.is_file or other.is_file:
            return f"{other.root}/".startswith(f"{self.root}/")
        return self.root == other.root and other.prefix.startswith(self.prefix)

    @property
    def parent(self) -> Location | None:
        """The folder that this one lies in; None for a whole bucket or file system."""
        if self.is_file:
            path = PurePosixPath(self.folder)
            return None if path == path.parent else Location.of_folder(path.parent)
        above = self.prefix.rstrip("/").rpartition("/")
        return Location(self.root, above[0] + above[1]) if self.prefix else None

    @property
    def name(self) -> str:
        """The last part of the address; empty for a whole bucket or file system."""
        if self.is_file:
            return PurePosixPath(self.folder).name
        return self.prefix.rstrip("/").rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.root}/{self.prefix}"


def split_object_address(address: str, where: str) -> tuple[Location, str]:
    """The store's location and the key of one object. Raises LocationError."""
    folder, slash, name = address.rpartition("/")
    if not slash or not name:
        raise LocationError(f"{where}: {shown(address)} is not the address of an object.")
    parent = Location.parse(folder + "/", where)
    if parent.is_file:
        return parent, unquote(name)
    return Location(parent.root), parent.prefix + name


def _as_folder(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else prefix + "/"
