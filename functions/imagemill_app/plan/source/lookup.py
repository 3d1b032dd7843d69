"""Looks up one object of a source by its key."""

from __future__ import annotations

from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.source_keys import is_readable_key


def looked_up(source: Location, key: str) -> SourceObject | None:
    """The object as it is now, or None. Raises ValueError for a key that no file can have."""
    if not source.is_file and not is_readable_key(key):
        return _looked_up_slowly(source.bucket, key)
    try:
        meta = store_of(source.root).head(key)
    except FileNotFoundError:
        return None
    return SourceObject(key, _plain(meta["e_tag"]), meta["size"])


def _looked_up_slowly(bucket: str, key: str) -> SourceObject | None:
    """By boto3, which can address every key that S3 has."""
    import boto3  # half of what a handler imports, for rare keys
    from botocore.exceptions import ClientError

    try:
        found = boto3.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return SourceObject(key, _plain(found["ETag"]), found["ContentLength"])


def _plain(etag: str | None) -> str:
    return (etag or "").strip('"')
