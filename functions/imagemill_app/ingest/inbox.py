"""The inbox: where uploads wait, window by window, for the run that takes them.

A writer puts a document, makes sure that the window's run is started, and then looks for the seal.
The run puts the seal, and then lists the documents. S3 is strongly consistent: every get and list
sees all earlier puts. So either the run finds the document, or the writer finds the seal and tries
a later window. No clock decides. `docs/decisions/0006-an-upload-is-one-run.md` has the proof.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import Group, is_newer
from imagemill_app.stores import exists, list_keys, read_bytes, write_bytes
from imagemill_contract.document_parts.lines import decode_lines
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import group_key, inbox_folder, seal_key
from imagemill_contract.locations import Location
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_contract.reporting.usage import Request
from imagemill_contract.requests.windows import Window

MAX_WINDOWS_TRIED = 10
# What the document of a group cannot know yet: it is put, and then the seal is looked for.
_SPENT_BY_PUT = Spent(functions=LambdaUsage(requests={Request.PUT: 1, Request.GET: 1}))


class InboxError(Exception):
    """All windows tried were over. The group's messages stay in the queue."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """The inbox of a stack.

    Attributes:
        bucket: The output bucket.
        window_seconds: Length of a window.
        grace_seconds: How long after a window's end its run waits before it seals the window.
    """

    bucket: Location
    window_seconds: int
    grace_seconds: int

    def put(
        self,
        group: Group,
        now: Callable[[], datetime],
        start_run: Callable[[Window], bool],
        spent: Callable[[], Spent] = Spent,
    ) -> Window:
        """Put a group into the current window, or into a later one if that is over.

        `start_run` starts the run of a window and returns whether it is running. `spent` says what
        it has taken so far to gather the group. When `put` returns, the run of the returned window
        will find the group. Raises InboxError.
        """
        window = Window.at(now(), self.window_seconds)
        for _ in range(MAX_WINDOWS_TRIED):
            body = group.document(spent().plus(_SPENT_BY_PUT))
            write_bytes(self.bucket, group_key(window.name, group.rows), body)
            if start_run(window) and not exists(self.bucket, seal_key(window.name)):
                return window
            window = max(window.next(), Window.at(now(), self.window_seconds), key=_start)
        raise InboxError(f"{MAX_WINDOWS_TRIED} windows up to {window.name} are over already.")

    def closing_time(self, window: Window) -> datetime:
        """When the run of a window seals it."""
        return window.end + timedelta(seconds=self.grace_seconds)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The uploads of a window, each key once, and what it took to gather them."""

    source: Location
    objects: list[SourceObject]
    duplicates: int
    spent: Spent


def sealed_uploads(bucket: Location, window: Window) -> Gathered | None:
    """Seal a window and read its uploads, in key order; None if there are none.

    If a key has several events, the newest counts, whichever document it is in.
    """
    write_bytes(bucket, seal_key(window.name), b"")
    newest: dict[str, dict[str, Any]] = {}
    rows_read, source, spent = 0, "", Spent()
    for key in sorted(list_keys(bucket, inbox_folder(window.name))):
        if key == seal_key(window.name):
            continue
        header, rows = decode_lines("group", read_bytes(bucket, key))
        source = str(header["source"])
        spent = spent.plus(Spent.from_document(cast("dict[str, object]", header.get("spent", {}))))
        rows_read += len(rows)
        for row in rows:
            _keep_newest(newest, row)
    if not newest:
        return None
    objects = [SourceObject.from_row(newest[key]) for key in sorted(newest)]
    duplicates = rows_read - len(objects)
    return Gathered(Location.parse(source, "group.source"), objects, duplicates, spent)


def start_input(window: Window, closes: datetime) -> str:
    """The input of a window's run. It depends on the window alone, so every start is the same."""
    return json.dumps({"window": window.name, "closes": closes.strftime("%Y-%m-%dT%H:%M:%SZ")})


def _keep_newest(newest: dict[str, dict[str, Any]], row: dict[str, Any]) -> None:
    known = newest.get(row["key"])
    if known is None or is_newer(row["sequencer"], known["sequencer"]):
        newest[row["key"]] = row


def _start(window: Window) -> datetime:
    return window.start
