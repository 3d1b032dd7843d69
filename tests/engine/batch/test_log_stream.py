"""Lines that the log does not take."""

from __future__ import annotations

from typing import Any

from imagemill_engine.batch.log_stream import LogStream, LogWriteError
from imagemill_engine.batch.spec import LogTarget


def test_lines_that_cannot_be_written_are_lost_and_the_later_ones_are_not(logs: Any):
    stream = LogStream(logs, LogTarget("group", "prefix"), "stream")
    logs.fault = LogWriteError("no such group")
    stream.feed(b"one\n")
    stream.flush()
    logs.fault = None
    stream.feed(b"two\nthree")
    stream.close()
    assert logs.text == ["two", "three"]


def test_a_line_longer_than_an_event_is_cut_and_loses_no_byte(logs: Any):
    stream = LogStream(logs, LogTarget("group", "prefix"), "stream")
    stream.feed(b"x" * 600_000)
    stream.close()
    assert [len(line) for line in logs.text] == [250_000, 250_000, 100_000]
