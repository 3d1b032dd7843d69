"""A job's output, sent on line by line in batches while the job runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Protocol

from imagemill_engine.batch.job import now_ms
from imagemill_engine.batch.spec import LogTarget

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.3
MAX_BATCH_EVENTS = 1_000
# PutLogEvents takes 256 KiB an event and 1 MiB a call, 26 bytes of overhead per event included.
MAX_LINE_BYTES = 250_000
MAX_BATCH_BYTES = 900_000

LogEvent = tuple[int, str]  # ms since 1970, line


class LogWriteError(Exception):
    """Lines could not be written; the job goes on without them."""


class LogSink(Protocol):
    """What takes the lines of jobs, as CloudWatch Logs does."""

    def open(self, target: LogTarget, stream: str) -> None:
        """Make the stream of an attempt. Raises StartError when its group is missing."""

    def put(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Append lines to a stream. Raises LogWriteError."""


class LogStream:
    """Cuts the output of one attempt into lines and passes them on."""

    def __init__(self, sink: LogSink, target: LogTarget, stream: str) -> None:
        """Make the stream in the sink. Raises StartError when its group is missing."""
        self._sink = sink
        self._group = target.group
        self._stream = stream
        self._partial = b""
        self._events: list[LogEvent] = []
        self._waiting_bytes = 0
        self._flushed_at = time.monotonic()
        sink.open(target, stream)

    def feed(self, received: bytes) -> None:
        """Take what the job has just printed."""
        *lines, self._partial = (self._partial + received).split(b"\n")
        for line in lines:
            self._add(line)
        while len(self._partial) > MAX_LINE_BYTES:
            self._add(self._partial[:MAX_LINE_BYTES])
            self._partial = self._partial[MAX_LINE_BYTES:]
        if len(self._events) >= MAX_BATCH_EVENTS or self._waiting_bytes >= MAX_BATCH_BYTES:
            self.flush()

    def flush_when_due(self) -> None:
        """Send lines that have waited for `FLUSH_SECONDS`."""
        if self._events and time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def close(self) -> None:
        """Send everything, also a last line that has no newline."""
        if self._partial:
            self._add(self._partial)
            self._partial = b""
        self.flush()

    def flush(self) -> None:
        """Send all whole lines. Those that the sink does not take are lost, with a warning."""
        self._flushed_at = time.monotonic()
        events, self._events, self._waiting_bytes = self._events, [], 0
        for first in range(0, len(events), MAX_BATCH_EVENTS):
            try:
                self._sink.put(self._group, self._stream, events[first : first + MAX_BATCH_EVENTS])
            except LogWriteError:
                # On AWS, too, a job does not fail because its log cannot be written.
                logger.warning("Lines of %s are lost", self._stream, exc_info=True)

    def _add(self, line: bytes) -> None:
        text = line.rstrip(b"\r").decode(errors="replace")
        if text:  # CloudWatch Logs refuses an empty message
            self._events.append((now_ms(), text))
            self._waiting_bytes += len(line)
