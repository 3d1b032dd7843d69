"""Events of uploads that are delivered late, or again in a later window."""

from __future__ import annotations

from typing import Any

import pytest

from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import Upload, group_of
from imagemill_app.stores import StoreAt, write_bytes
from imagemill_contract import keys
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.index import Entry
from imagemill_dataset.stored_index import read_index
from tests.helpers.run_steps import INPUT, OUTPUT, Run, Worker, plan, report

BUCKET = Location(f"s3://{OUTPUT}")
KEYS = ["full/a.jpg", "full/b.jpg"]


@pytest.fixture
def s3(aws: dict[str, Any]) -> Any:
    return aws["s3"]


def put(s3: Any, key: str, body: bytes, sequencer: str) -> Upload:
    """Put an object; the event of it."""
    etag = s3.put_object(Bucket=INPUT, Key=key, Body=body)["ETag"].strip('"')
    return Upload(INPUT, key, etag, len(body), sequencer)


def run_of(minute: int, *events: Upload) -> Run:
    """Plan the run of a window in which these events came."""
    window = f"20261123T10{minute:02}00Z-60s"
    group = group_of(events, Location(f"s3://{INPUT}", "full/"))
    assert group is not None
    write_bytes(BUCKET, keys.group_key(window, group.rows), group.document(Spent()))
    return plan({"window": window}, f"upload-{window}", minute)


def finish(run: Run) -> str:
    Worker(run).finish()
    return report(run).sentence


def entries() -> dict[str, Entry]:
    return read_index(StoreAt(BUCKET)).entries


def test_event_that_is_older_than_what_is_done_does_nothing(s3: Any) -> None:
    old = put(s3, KEYS[0], b"first", "01")
    new = put(s3, KEYS[0], b"second", "02")
    finish(run_of(1, new))
    before = entries()
    late = run_of(2, old)
    assert (late["objects"], late["ignored"]) == (0, {"events older than what is done": 1})
    assert finish(late) == "Nothing to do: left out were 1 events older than what is done."
    assert entries() == before


def test_old_event_beside_a_new_one_holds_nobody_up(s3: Any) -> None:
    old = put(s3, KEYS[0], b"first", "01")
    finish(run_of(1, put(s3, KEYS[0], b"second", "02")))
    late = run_of(2, old, put(s3, KEYS[1], b"other", "03"))
    assert Worker(late).keys == [KEYS[1]]


def test_event_of_an_object_that_was_overwritten_since_is_planned_as_it_is_now(s3: Any) -> None:
    finish(run_of(1, put(s3, KEYS[0], b"first", "01")))
    second = put(s3, KEYS[0], b"second", "02")
    third = put(s3, KEYS[0], b"the third", "03")
    run = run_of(2, second)
    ((item,),) = (shard.objects for shard in Worker(run).shards)
    assert item == SourceObject(KEYS[0], third.etag, third.bytes)
    finish(run)
    assert run_of(3, third)["done"] == {"unchanged": 1}


def test_event_of_an_object_that_was_deleted_since_supersedes_nothing(s3: Any) -> None:
    finish(run_of(1, put(s3, KEYS[0], b"first", "01")))
    second = put(s3, KEYS[0], b"second", "02")
    s3.delete_object(Bucket=INPUT, Key=KEYS[0])
    before = entries()
    run = run_of(2, second)
    assert (run["objects"], run["ignored"]) == (0, {"deleted since": 1})
    finish(run)
    assert entries() == before


def test_old_event_of_an_object_that_is_not_done_plans_what_is_there(s3: Any) -> None:
    old = put(s3, KEYS[0], b"first", "01")
    new = put(s3, KEYS[0], b"second", "02")
    run = run_of(1, new)
    worker = Worker(run)
    worker.record_failures()
    report(run)
    late = run_of(2, old)
    assert late["to_do"] == {"retry of failed": 1}
    assert entries()["a.jpg"].etag == new.etag


def test_object_that_changed_before_it_was_read_keeps_what_is_done_and_is_done_again(
    s3: Any,
) -> None:
    first = put(s3, KEYS[0], b"first", "01")
    finish(run_of(1, first))
    second = put(s3, KEYS[0], b"second", "02")
    run = run_of(2, second)
    third = put(s3, KEYS[0], b"third", "03")
    worker = Worker(run)
    for stage, status, reason in (
        (Stage.RESIZE, Status.REJECTED, Reason.CHANGED),
        (Stage.EDGE, Status.SKIPPED, Reason.NO_RESIZED_IMAGE),
    ):
        worker.put_outcomes(worker.shards[0], stage, [Outcome(KEYS[0], status, reason)])
    report(run)
    assert entries()["a.jpg"].etag == first.etag
    assert run_of(3, third)["to_do"] == {"changed": 1}
