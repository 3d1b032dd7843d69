"""What lies at a source: its pictures, what no job can be given, and what is no picture."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path

import boto3
from botocore.exceptions import ClientError
from obstore.exceptions import BaseError, InvalidPathError
from obstore.store import ObjectStore

from imagemill_app.bucket_listing import listed_objects
from imagemill_app.manifests import manifest_objects
from imagemill_app.key_ranges import list_in_ranges
from imagemill_app.lookups import missing_keys, plain_etag, with_identity
from imagemill_app.manifests import read_manifest
from imagemill_app.refusal import RunRefused
from imagemill_app.selecting import excluded_names, selected
from imagemill_app.selecting import excluded_names, selected
from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import is_readable_key, may_be_picture
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.request import RunRequest

_NOT_LISTABLE = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "there is no such bucket, or this stack has no right to list it",
}


@dataclass(slots=True)
class Listing:
    """Everything that was found, each object in exactly one place.

    Attributes:
        objects: What jobs are given, in key order.
        refused: Outcomes of objects that no job can be given.
        ignored: How many objects were left out for each reason.
        all_keys: Every key that the source has; None where it was not listed whole.
    """

    objects: list[SourceObject] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    all_keys: frozenset[str] | None = None

    def ignore(self, reason: str, count: int = 1) -> None:
        self.ignored[reason] = self.ignored.get(reason, 0) + count


def gather(request: RunRequest) -> Listing:
    """The objects that a request names and its filters take. Raises RunRefused."""
    if request.source is None:
        raise RunRefused("source: there is none.")
    excluded = excluded_names(request.selection)
    if request.manifest is None:
        listing = list_source(request.source)
    else:
        listing = list_manifest(request.manifest, request.source)
    chosen = selected(listing.objects, request.source.prefix, request.selection, excluded)
    listing.objects = chosen.kept
    listing.ignored.update(chosen.left_out)
    return listing


def list_source(source: Location) -> Listing:
    """List a source. Raises RunRefused when there is no such folder or bucket."""
    listing = Listing()
    found = _files_in(source, listing) if source.is_file else _objects_in(source, listing)
    listing.take_pictures(found)
    listing.all_keys = frozenset(item.key for item in listing.objects)
    return listing


def list_manifest(address: str, source: Location) -> Listing:
    """What a manifest names under a source. Raises RunRefused when it cannot be used."""
    listing = Listing()
    named = read_manifest(address, source)
    wanted = []
    for key, row in named.rows.items():
        if not key.startswith(source.prefix) or key == source.prefix:
            listing.ignore("named by the manifest, not under the source")
        elif is_readable_key(key):
            wanted.append(row)
        else:
            listing.refused.append(_unreadable_key(key))
    listing.ignored.update(named.ignored)
    looked_up = with_identity(wanted, store_of(source.root))
    listing.refused += looked_up.gone
    listing.take_pictures(looked_up.objects)
    return listing


def _objects_in(source: Location, listing: Listing) -> Iterable[SourceObject]:
    _check_listable(source)
    try:
        # all of it first: a key that obstore cannot read ends its listing at any page
        found = list_in_ranges(partial(_pages_after, source), source.prefix)
    except BaseError as error:
        if "invalid path" not in str(error):
            raise
        return _objects_with_odd_keys(source, listing)
    return _without_folder_markers(found, source, listing)


def _pages_after(source: Location, key: str | None) -> Generator[list[SourceObject], None, None]:
    pages = store_of(source.root).list(source.prefix or None, offset=key, chunk_size=1000)
    for page in pages:
        yield [SourceObject(meta["path"], plain_etag(meta["e_tag"]), meta["size"]) for meta in page]


def _without_folder_markers(
    found: list[SourceObject], source: Location, listing: Listing
) -> Iterator[SourceObject]:
    """Leave out objects whose key ends in a slash; obstore lists such a key without the slash."""
    empty = [item for item in found if not item.bytes]
    named = [item for item in empty if item.key.startswith(source.prefix)]
    markers = set(missing_keys((item.key for item in named), store_of(source.root)))
    markers |= {item.key for item in empty} - {item.key for item in named}  # the source's own
    for item in found:
        if item.bytes or item.key not in markers:
            yield item
        else:
            listing.ignore("folder markers")


def _objects_with_odd_keys(source: Location, listing: Listing) -> Iterator[SourceObject]:
    """The slow way, by boto3, which reads every key that S3 takes."""
    pages = boto3.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=source.bucket, Prefix=source.prefix):
        for item in page.get("Contents", []):
            key = item["Key"]
            if key.endswith("/"):
                listing.ignore("folder object")
            elif is_readable_key(key) or not may_be_picture(key):
                yield SourceObject(key, plain_etag(item["ETag"]), item["Size"])
            else:
                listing.refused.append(_unreadable_key(key))


def _check_listable(source: Location) -> None:
    """One request whose errors have names; those of obstore's listing have none."""
    try:
        boto3.client("s3").list_objects_v2(Bucket=source.bucket, Prefix=source.prefix, MaxKeys=1)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _NOT_LISTABLE:
            raise
        raise RunRefused(f'source: "{source}" cannot be listed: {_NOT_LISTABLE[code]}.') from None


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
                yield SourceObject(key, plain_etag(meta["e_tag"]), meta["size"])


def _unreadable_key(key: str) -> Outcome:
    shown = key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    detail = "Its name has a part that is empty, '.' or '..', or a character that is none."
    return Outcome(shown, Status.REJECTED, Reason.UNREADABLE_KEY, detail)
