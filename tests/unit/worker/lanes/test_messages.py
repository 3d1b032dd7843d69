"""What supervisor and lanes say to each other comes out as it went in."""

from __future__ import annotations

import os

import pytest

from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.shards import PixelSums
from imagemill_worker.lanes.messages import (
    Assignment,
    Ended,
    FaultName,
    Report,
    SharedFiles,
    SpooledProduct,
    Totals,
    send,
)
from imagemill_worker.lanes.tasks import Task

TASKS = [
    Task("in/a.jpg", SourceObject("in/a.jpg", "etag", 7), "resized/a.jpg"),
    Task("in/\udcff\n.jpg", SourceObject("pieces/1.tar", "", 9), "", "0" * 64, 512),
]


@pytest.mark.parametrize("files", [SharedFiles(3, 4, 5), SharedFiles(3, 4, 5, 0, 6)])
def test_an_assignment_arrives_whole(files: SharedFiles) -> None:
    assignment = Assignment(
        "edge", "s3://in/", "s3://out/", {"size": 128}, 32, TASKS, alone=True, verify_source=True
    )
    line = assignment.encode(files)
    assert line.count(b"\n") == 1
    assert Assignment.decode(line) == (assignment, files)


def test_only_files_that_are_there_are_handed_down() -> None:
    assert SharedFiles(3, 4, 5).descriptors() == [3, 4, 5]
    assert SharedFiles(3, 4, 5, spool=0, intermediate=7).descriptors() == [3, 4, 5, 0, 7]


def test_a_report_arrives_whole() -> None:
    written = Outcome("a", Status.WRITTEN, output_bytes=5, sha256="ab", etag="cd")
    rejected = Outcome("b\udcff", Status.REJECTED, Reason.CORRUPT, "It is.")
    product = SpooledProduct(100, 5, PixelSums(4, (1, 2, 3), (4, 5, 6)))
    report = Report(
        [Ended(0, written, product), Ended(1, rejected), Ended(2, None)],
        Totals(3, 1.5, 2, 1),
        fault=FaultName.TRY_AGAIN,
        detail="No.",
    )
    assert Report.decode(report.encode()) == report
    assert Report.decode(Report().encode()) == Report([])


def test_a_long_message_is_sent_whole() -> None:
    read_end, write_end = os.pipe()
    try:
        send(write_end, b"x" * 60_000)
        assert os.read(read_end, 100_000) == b"x" * 60_000
    finally:
        os.close(read_end)
        os.close(write_end)


def test_totals_of_lanes_add_up_and_their_waiting_overlaps() -> None:
    assert Totals(3, 1.5, 2, 1).plus(Totals(4, 2.5, 0, 1)) == Totals(7, 2.5, 2, 2)
