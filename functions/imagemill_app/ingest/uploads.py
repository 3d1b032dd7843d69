"""From queue messages to uploaded objects."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from imagemill_app.ingest.spent import Spent
from imagemill_contract.document_parts.lines import encode_lines
from imagemill_contract.locations import Location
from imagemill_contract.source_keys import may_be_picture


class UnreadableMessageError(ValueError):
    """The body of a message is not an S3 event."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that was created in a bucket, as its event describes it."""

    bucket: str
    key: str
    etag: str
    bytes: int
    sequencer: str


@dataclass(frozen=True, slots=True)
class Group:
    """The new objects of one batch of messages.

    Attributes:
        source: What they all lie in.
        rows: One for each, as they stand in their document after its header.
        objects: How many there are.
        prefixes: In how many folders they lie.
    """

    source: Location
    rows: bytes
    objects: int
    prefixes: int

    def document(self, spent: Spent) -> bytes:
        """What is written of them; `spent` is what it took to gather them."""
        header = {"source": str(self.source), "spent": spent.to_document()}
        return encode_lines("group", header, ()) + self.rows


def uploads_in(body: str) -> list[Upload]:
    """The uploads in a message; none for a test event or another kind of event.

    A message is what S3 sends to the queue, or what EventBridge sends about a bucket that it
    watches. Raises UnreadableMessageError if the body is neither.
    """
    try:
        event = json.loads(body)
        if event.get("Event") == "s3:TestEvent":  # sent whenever a notification is configured
            return []
        if event.get("source") == "aws.s3":
            return [_watched(event)] if event["detail-type"] == "Object Created" else []
        return [
            _notified(record)
            for record in event["Records"]
            if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:")
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessageError(f"not an S3 event: {error!r}") from error


def group_of(uploads: Iterable[Upload], source: Location) -> Group | None:
    """The group of the pictures under `source`, or None if there are none.

    If a key has several events, the newest counts. The same uploads, in any order and any number
    of times, give the same group.
    """
    newest: dict[str, Upload] = {}
    for upload in uploads:
        if not _is_wanted(upload, source):
            continue
        known = newest.get(upload.key)
        if known is None or is_newer(upload.sequencer, known.sequencer):
            newest[upload.key] = upload
    if not newest:
        return None
    chosen = [newest[key] for key in sorted(newest)]
    return Group(source, _packed(map(_row, chosen)), len(chosen), _prefix_count(chosen))


def _is_wanted(upload: Upload, source: Location) -> bool:
    return (
        upload.bucket == source.bucket
        and upload.key.startswith(source.prefix)
        and may_be_picture(upload.key)
    )


def _prefix_count(uploads: Sequence[Upload]) -> int:
    return len({upload.key.rpartition("/")[0] for upload in uploads})


def _packed(rows: Iterable[Mapping[str, object]]) -> bytes:
    """Lines of JSON, compressed by themselves: gzip reads one part after the other."""
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    return gzip.compress("".join(lines).encode(), 1, mtime=0)


def _row(upload: Upload) -> dict[str, object]:
    return {
        "key": upload.key,
        "etag": upload.etag,
        "bytes": upload.bytes,
        "sequencer": upload.sequencer,
    }


def _notified(record: dict[str, Any]) -> Upload:
    """An entry of an S3 notification, whose keys are form-urlencoded."""
    item = record["s3"]["object"]
    return Upload(
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(item["key"]),
        etag=str(item.get("eTag", "")),
        bytes=int(item.get("size", 0)),
        sequencer=str(item.get("sequencer", "")),
    )


def _watched(event: dict[str, Any]) -> Upload:
    """An event of EventBridge, whose keys are not encoded."""
    item = event["detail"]["object"]
    return Upload(
        bucket=event["detail"]["bucket"]["name"],
        key=item["key"],
        etag=str(item.get("etag", "")),
        bytes=int(item.get("size", 0)),
        sequencer=str(item.get("sequencer", "")),
    )


def is_newer(sequencer: str, known: str) -> bool:
    """Whether an event is newer than another one of the same key.

    Sequencers are hexadecimal digits, compared after padding with zeros on the right (S3
    documentation, notification content).
    """
    width = max(len(sequencer), len(known))
    return sequencer.ljust(width, "0") > known.ljust(width, "0")
