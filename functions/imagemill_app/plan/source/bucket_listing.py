"""Lists a bucket: all of it by many requests at once, or a range of its keys in their order."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from obstore.exceptions import BaseError

from imagemill_app.plan.source.bucket_pages import pages_after
from imagemill_app.plan.source.key_ranges import TooManyObjectsError, list_in_ranges
from imagemill_app.refusal import RunRefused
from imagemill_app.stores import request_counts, store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.reporting.usage import Request

_NOT_LISTABLE = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "there is no such bucket, or this stack has no right to list it",
}

# What obstore says about a key, or the source itself, that it cannot address.
_UNREADABLE = ("invalid path", "Could not parse path")


def found_in(source: Location, most_objects: int | None) -> list[SourceObject]:
    """Everything below a source in a bucket, in key order; keys of folder objects end in a slash.

    Raises TooManyObjectsError if that is more than `most_objects`, and RunRefused if there is no
    such bucket.
    """
    if not _has_odd_start(source):
        pages = partial(pages_after, store_of(source.root), source.prefix)
        try:
            return list_in_ranges(pages, source.prefix, most_objects)
        except (BaseError, OSError, ValueError) as error:
            if not _is_about_a_key(error):
                check_listable(source)  # it has a sentence for what people get wrong
                raise
    found: list[SourceObject] = []
    for page in _odd_pages_after(source, ""):
        found += page
        if most_objects is not None and len(found) > most_objects:
            raise TooManyObjectsError([])
    return found


def found_after(source: Location, after: str) -> Iterator[SourceObject]:
    """Everything below a source in a bucket after a key, in key order."""
    if _has_odd_start(source):
        yield from chain.from_iterable(_odd_pages_after(source, after))
        return
    try:
        for page in pages_after(store_of(source.root), source.prefix, after or None):
            yield from page
            after = page[-1].key
    except (BaseError, ValueError) as error:
        if not _is_about_a_key(error):
            raise
        yield from chain.from_iterable(_odd_pages_after(source, after))


def check_listable(source: Location) -> None:
    """Raises RunRefused. boto3's errors have codes; those of obstore's listing have none."""
    s3 = _s3()
    request_counts().add(Request.LIST)
    try:
        s3.list_objects_v2(Bucket=source.bucket, Prefix=source.prefix, MaxKeys=1)
    except s3.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _NOT_LISTABLE:
            raise
        raise RunRefused(f'source: "{source}" cannot be listed: {_NOT_LISTABLE[code]}.') from None


def first_folders(source: Location) -> list[str]:
    """Names of the folders right below a source in a bucket."""
    pages = _s3().get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=source.bucket, Prefix=source.prefix, Delimiter="/")
    prefixes = (
        item["Prefix"] for page in _counted(found) for item in page.get("CommonPrefixes", [])
    )
    return [prefix.removeprefix(source.prefix).rstrip("/") for prefix in prefixes]


def _s3() -> Any:
    import boto3  # half of what a run over a folder would have to import

    return boto3.client("s3")


def _counted(pages: Iterable[Any]) -> Iterator[Any]:
    for page in pages:
        request_counts().add(Request.LIST)
        yield page


def _is_about_a_key(error: Exception) -> bool:
    return any(text in str(error) for text in _UNREADABLE)


def _has_odd_start(source: Location) -> bool:
    """Whether keys of a whole bucket begin with a slash, which obstore would take off."""
    if source.prefix:
        return False
    check_listable(source)
    request_counts().add(Request.LIST)
    answer = _s3().list_objects_v2(Bucket=source.bucket, Prefix="/", MaxKeys=1)
    return bool(answer.get("Contents"))


def _odd_pages_after(source: Location, after: str) -> Generator[list[SourceObject], None, None]:
    """List the slow way, by boto3, which reads every key that S3 has."""
    pages = _s3().get_paginator("list_objects_v2")
    start = {"StartAfter": after} if after else {}
    for page in _counted(pages.paginate(Bucket=source.bucket, Prefix=source.prefix, **start)):
        yield [
            SourceObject(item["Key"], item["ETag"].strip('"'), item["Size"])
            for item in page.get("Contents", [])
        ]
