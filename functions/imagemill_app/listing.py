"""What lies at a source: its pictures, what no job can be given, and what is no picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from imagemill_app.refusal import RunRefused
from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import may_be_picture
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status


@dataclass(slots=True)
class Listing:
    """Everything that was found, each object in exactly one place.

    Attributes:
        objects: What jobs are given, in key order.
        refused: Outcomes of objects that no job can be given.
        ignored: How many objects were left out for each reason.
    """

    objects: list[SourceObject] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)

    def ignore(self, reason: str) -> None:
        self.ignored[reason] = self.ignored.get(reason, 0) + 1


def list_source(source: Location) -> Listing:
    """List a source. Raises RunRefused when there is no such folder or bucket."""
    listing = Listing()
    found = _files_in(source, listing) if source.is_file else _objects_in(source)
    for item in found:
        if may_be_picture(item.key):
            listing.objects.append(item)
        else:
            listing.ignore("not a picture by its name")
    listing.objects.sort(key=lambda item: item.key)
    return listing


def _objects_in(source: Location) -> Iterator[SourceObject]:
    pages = store_of(source.root).list(source.prefix or None, chunk_size=1000)
    try:
        for page in pages:
            for meta in page:
                yield SourceObject(meta["path"], _plain(meta["e_tag"]), meta["size"])
    except FileNotFoundError:
        raise RunRefused(f'source: "{source}" cannot be listed: no such bucket.') from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise RunRefused(
            f'source: "{source}" cannot be listed: there is no such bucket, '
            "or this stack has no right to list it."
        ) from None


def _files_in(source: Location, listing: Listing) -> Iterator[SourceObject]:
    folder = Path(source.folder)
    if not folder.is_dir():
        raise RunRefused(f'source: "{source}" is not a folder.')
    store = store_of(source.root)
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            key = (Path(parent) / name).relative_to(folder).as_posix()
            try:
                meta = store.head(key)
            except (InvalidPathError, ValueError):
                listing.refused.append(_unreadable_key(key))
            except (BaseError, OSError):
                listing.ignore("not a regular file")
            else:
                yield SourceObject(key, _plain(meta["e_tag"]), meta["size"])


def _unreadable_key(key: str) -> Outcome:
    shown = key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    detail = "The name holds bytes or characters that cannot be an object's key."
    return Outcome(shown, Status.REJECTED, Reason.UNREADABLE_KEY, detail)


def _plain(etag: str | None) -> str:
    return (etag or "").strip('"')
