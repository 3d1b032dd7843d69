"""Lists a source: its pictures, objects that no job can be given, and what is no picture."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NoReturn

from obstore.exceptions import BaseError, InvalidPathError

from imagemill_app.plan.source.bucket_listing import found_in
from imagemill_app.plan.source.filters import excluded_names, selected
from imagemill_app.plan.source.manifests import manifest_objects
from imagemill_app.refusal import RunRefused
from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.folder_source import LeftOut, names_in
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.requests.request import RunRequest
from imagemill_contract.requests.selection import Selection
from imagemill_contract.source_keys import may_be_picture

_KEY = attrgetter("key")

# Keys that every store takes as they are.
_PLAIN_KEY = re.compile(r"[\w ()+,=@-][\w .()+,=@-]*(/[\w ()+,=@-][\w .()+,=@-]*)*", re.ASCII)


@dataclass(slots=True)
class Listing:
    """Everything that was found, each object in exactly one place.

    Attributes:
        objects: What jobs are given, in key order.
        refused: Outcomes of objects that no job can be given.
        ignored: How many objects were left out, by reason.
        all_keys: Every key of the source; None if it was not listed whole.
    """

    objects: list[SourceObject] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    all_keys: frozenset[str] | None = None

    def ignore(self, reason: str, count: int = 1) -> None:
        self.ignored[reason] = self.ignored.get(reason, 0) + count


def gather(request: RunRequest, source: Location, most_objects: int | None = None) -> Listing:
    """The objects of a source that a request takes, from a listing or a manifest, and filtered.

    Raises RunRefused if there is no such folder, bucket, manifest or list of exclusions, and
    TooManyObjectsError if a bucket has more than `most_objects`.
    """
    excluded = excluded_names(request.selection)
    if request.manifest:
        listing = _from_manifest(request.manifest, source)
    else:
        listing = list_source(source, most_objects)
    return taken(listing, source, request.selection, excluded)


def taken(
    listing: Listing, source: Location, selection: Selection, excluded: frozenset[str]
) -> Listing:
    """The listing without the objects that filters leave out, which are counted."""
    chosen = selected(listing.objects, source.prefix, selection, excluded)
    listing.objects = chosen.kept
    for reason, count in chosen.left_out.items():
        listing.ignore(reason, count)
    return listing


def list_source(source: Location, most_objects: int | None = None) -> Listing:
    """List a source. Raises RunRefused if there is no such folder or bucket.

    Raises TooManyObjectsError if a bucket has more than `most_objects`.
    """
    listing = Listing()
    if source.is_file:
        return whole_listing(listing, _files_in(source, listing))
    return whole_listing(listing, found_in(source, most_objects))


def whole_listing(listing: Listing, found: Iterable[SourceObject]) -> Listing:
    """The listing with everything that was found; what can be no picture is told apart."""
    existing = list(found)
    listing.objects = [item for item in existing if may_be_picture(item.key)]
    folders = sum(item.key.endswith("/") for item in existing)
    others = len(existing) - len(listing.objects) - folders
    for reason, count in (("folder object", folders), (LeftOut.NO_PICTURE, others)):
        if count:
            listing.ignore(reason, count)
    listing.objects.sort(key=_KEY)
    # refused objects exist, too: their outputs must not be pruned as those of deleted sources
    found_keys = chain(map(_KEY, existing), map(_KEY, listing.refused))
    listing.all_keys = frozenset(key for key in found_keys if key[-1:] != "/")
    return listing


def _from_manifest(address: str, source: Location) -> Listing:
    listing = Listing()
    taken: dict[str, SourceObject] = {}
    for item in manifest_objects(address, source):
        if item is None:
            listing.ignore("outside the source")
        elif isinstance(item, Outcome):
            listing.refused.append(item)
        elif not may_be_picture(item.key):
            listing.ignore(LeftOut.NO_PICTURE)
        elif item.key in taken:
            listing.ignore("named twice")
        else:
            taken[item.key] = item
    listing.objects = [taken[key] for key in sorted(taken)]
    return listing


def _files_in(source: Location, listing: Listing) -> Iterator[SourceObject]:
    folder = Path(source.folder)
    if not folder.is_dir():
        raise RunRefused(f'source: "{source}" is not a folder.')
    for found in names_in(folder, _refuse_folder):
        if found.left_out is None:
            yield from _file_object(source, found.key, listing)
        else:
            listing.ignore(found.left_out)


def _refuse_folder(error: OSError) -> NoReturn:
    """Raises RunRefused: a folder that cannot be listed must not pass for an empty one."""
    raise RunRefused(f'source: "{error.filename}" cannot be listed: {error.strerror}.')


def _file_object(source: Location, key: str, listing: Listing) -> Iterator[SourceObject]:
    plain = _plain_file(source, key)
    if plain is not None:
        yield plain
        return
    try:
        meta = store_of(source.root).head(key)
    except (InvalidPathError, ValueError):
        listing.refused.append(_unreadable_key(key))
    except FileNotFoundError:
        listing.ignore("deleted while it was listed")
    except (BaseError, OSError) as error:
        detail = f"It cannot be read: {str(error).partition(chr(10))[0]}"
        listing.refused.append(Outcome(key, Status.FAILED, Reason.ACCESS_DENIED, detail))
    else:
        yield SourceObject(key, _plain(meta["e_tag"]), meta["size"])


def _plain_file(source: Location, key: str) -> SourceObject | None:
    """A file as obstore would describe it, in a tenth of its time; None for any case of doubt."""
    path = Path(source.folder, key)
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    if not _PLAIN_KEY.fullmatch(key) or not stat.S_ISREG(found.st_mode):
        return None
    if not os.access(path, os.R_OK):
        return None
    etag = f"{found.st_ino:x}-{found.st_mtime_ns // 1000:x}-{found.st_size:x}"
    return SourceObject(key, etag, found.st_size)


def _unreadable_key(key: str) -> Outcome:
    unicode_key = key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    detail = "Its name has a control character, or is not UTF-8."
    return Outcome(unicode_key, Status.REJECTED, Reason.UNREADABLE_KEY, detail)


def _plain(etag: str | None) -> str:
    return (etag or "").strip('"')
