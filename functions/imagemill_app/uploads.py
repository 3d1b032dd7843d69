"""From queue messages to uploaded objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from imagemill_contract.documents import encode_lines
from imagemill_contract.keys import group_key, may_be_picture
from imagemill_contract.locations import Location


class UnreadableMessageError(ValueError):
    """The body of a message is not an S3 event."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that was created in a bucket, as its event tells.

    `sequencer` orders the events of one key: compare right-padded with zeros (S3 documentation,
    notification content structure).
    """

    bucket: str
    key: str
    etag: str
    bytes: int
    sequencer: str
    time: str


@dataclass(frozen=True, slots=True)
class Group:
    """The new objects of one batch of messages, ready to be written and run."""

    key: str
    body: bytes
    objects: int
    prefixes: int


def uploads_in(body: str) -> list[Upload]:
    """The uploads that a message tells of; none for a test event or another kind of event.

    Raises UnreadableMessageError when the body is not an S3 event.
    """
    try:
        event = json.loads(body)
        if event.get("Event") == "s3:TestEvent":  # sent whenever a notification is configured
            return []
        return [
            _upload(record)
            for record in event["Records"]
            if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:")
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessageError(f"not an S3 event: {error!r}") from error


def group_of(uploads: Iterable[Upload], source: Location) -> Group | None:
    """The group document of the pictures under `source`, or None when there is none.

    Of several events of a key the newest counts. The same uploads in any order and any number
    give the same document under the same key.
    """
    newest: dict[str, Upload] = {}
    for upload in uploads:
        if not _is_wanted(upload, source):
            continue
        known = newest.get(upload.key)
        if known is None or _is_newer(upload, known):
            newest[upload.key] = upload
    if not newest:
        return None
    chosen = [newest[key] for key in sorted(newest)]
    body = encode_lines("group", {"source": str(source)}, map(_row, chosen))
    day = max(upload.time for upload in chosen)[:10]
    return Group(group_key(day, body), body, len(chosen), _prefix_count(chosen))


def _is_wanted(upload: Upload, source: Location) -> bool:
    return (
        upload.bucket == source.bucket
        and upload.key.startswith(source.prefix)
        and may_be_picture(upload.key)
    )


def _is_newer(upload: Upload, known: Upload) -> bool:
    width = max(len(upload.sequencer), len(known.sequencer))
    return upload.sequencer.ljust(width, "0") > known.sequencer.ljust(width, "0")


def _prefix_count(uploads: Sequence[Upload]) -> int:
    return len({upload.key.rpartition("/")[0] for upload in uploads})


def _row(upload: Upload) -> dict[str, object]:
    return {
        "key": upload.key,
        "etag": upload.etag,
        "bytes": upload.bytes,
        "sequencer": upload.sequencer,
    }


def _upload(record: Mapping[str, object]) -> Upload:
    s3 = record["s3"]
    item = s3["object"]  # type: ignore[index] # a wrong shape is caught by the caller
    return Upload(
        bucket=s3["bucket"]["name"],  # type: ignore[index] # a wrong shape is caught by the caller
        key=unquote_plus(item["key"]),
        etag=str(item.get("eTag", "")),
        bytes=int(item.get("size", 0)),
        sequencer=str(item.get("sequencer", "")),
        time=str(record.get("eventTime", "1970-01-01")),
    )
