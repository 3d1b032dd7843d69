"""What a run that was stopped has done is taken over by the next one."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import Upload, group_of
from imagemill_app.plan.earlier import stopped_runs
from imagemill_app.plan.earlier.stopped_runs import IDLE_AFTER
from imagemill_app.refusal import RunRefused
from imagemill_app.results.open_runs import open_runs
from imagemill_app.stores import StoreAt, list_keys, read_bytes, write_bytes
from imagemill_contract import keys
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_dataset.index import Index
from imagemill_dataset.stored_index import read_index
from tests.helpers.run_steps import INPUT, OUTPUT, Worker, plan, report

NAMES = [f"{number:02}.jpg" for number in range(10)]
BUCKET = Location(f"s3://{OUTPUT}")


@pytest.fixture
def in_bucket(aws: dict[str, Any]) -> dict[str, Any]:
    """A request from bucket to bucket."""
    for name in NAMES:
        aws["s3"].put_object(Bucket=INPUT, Key=f"full/{name}", Body=name.encode())
    return {"source": f"s3://{INPUT}/full/", "shards": 2}


@pytest.fixture
def in_folder(aws: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A request from folder to folder, by somebody who holds the lock on the latter."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in NAMES:
        (photos / name).write_bytes(name.encode())
    locations = (Location.of_folder(PurePosixPath(tmp_path / name)) for name in ("photos", "out"))
    source, output = map(str, locations)
    return {"source": source, "output": output, "shards": 2, "alone": True}


def age(folder: Path, by: timedelta) -> None:
    """Let all files of a folder be older."""
    then = time.time() - by.total_seconds()
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def index_at(output: Location) -> Index:
    return read_index(StoreAt(output))


def test_run_is_open_from_its_plan_to_its_report(in_bucket: dict[str, Any]) -> None:
    run = plan(in_bucket)
    (marker,) = open_runs(BUCKET)
    assert (marker.run, marker.run_id) == (run, "run-1")
    Worker(run).finish()
    report(run)
    assert open_runs(BUCKET) == []


def test_dry_run_neither_opens_a_run_nor_takes_one_over(in_folder: dict[str, Any]) -> None:
    run = plan(in_folder)
    Worker(run).begin(4)
    output = Location.parse(run["output"], "output")
    before = list_keys(output, "")
    shown = plan({**in_folder, "dry_run": True}, "run-2", 2)
    assert (shown["objects"], shown["adopted"]) == (6, {"the run that was stopped": 4})
    assert list_keys(output, "") == before


def test_what_journals_have_is_not_done_again(in_bucket: dict[str, Any]) -> None:
    first = plan(in_bucket)
    done = Worker(first).begin(7)
    second = plan(in_bucket, "run-2", 2)
    worker = Worker(second)
    assert sorted(worker.keys + done) == [f"full/{name}" for name in NAMES]
    assert second["done"] == {"done by run-1, which has not ended": 7}
    assert second["adopted"] == {"a run that has not ended": 7}
    worker.finish()
    assert report(second).sentence.endswith(
        "7 were done already; 7 of 10 were done by a run that has not ended."
    )
    assert plan(in_bucket, "run-3", 3)["objects"] == 0


def test_what_outcome_documents_have_is_not_done_again(in_bucket: dict[str, Any]) -> None:
    worker = Worker(plan(in_bucket))
    shard, *_ = worker.shards
    names = [item.key for item in shard.objects]
    bad = Outcome(names[0], Status.REJECTED, Reason.TRUNCATED)
    lost = Outcome(names[1], Status.FAILED, Reason.STORE_ERROR)
    rows = [worker.written(shard, Stage.RESIZE, item) for item in shard.objects]
    worker.put_outcomes(shard, Stage.RESIZE, [bad, lost, *rows[2:]])
    rows = [worker.written(shard, Stage.EDGE, item) for item in shard.objects]
    skipped = [row._replace(status=Status.SKIPPED) for row in rows[:2]]
    worker.put_outcomes(shard, Stage.EDGE, [*skipped, *rows[2:]])
    second = plan(in_bucket, "run-2", 2)
    assert second["done"] == {
        "rejected by an earlier run": 1,
        "done by run-1, which has not ended": len(names) - 2,
    }
    assert names[1] in Worker(second).keys


def test_run_that_was_cancelled_is_over_at_once(in_bucket: dict[str, Any]) -> None:
    first = plan(in_bucket)
    plan(in_bucket, "run-2", 2)
    assert {other.run_id for other in open_runs(BUCKET)} == {"run-1", "run-2"}
    write_bytes(BUCKET, keys.stopped_key(first["run_id"]), b"{}")
    plan(in_bucket, "run-3", 3)
    assert {other.run_id for other in open_runs(BUCKET)} == {"run-2", "run-3"}


def test_picture_without_its_edges_is_done_again(in_bucket: dict[str, Any]) -> None:
    Worker(plan(in_bucket)).begin(5, [Stage.RESIZE])
    assert plan(in_bucket, "run-2", 2)["objects"] == 10


def test_run_that_left_nothing_is_as_if_it_had_not_been(in_bucket: dict[str, Any]) -> None:
    plan(in_bucket)
    second = plan(in_bucket, "run-2", 2)
    assert (second["objects"], second["to_do"], second["done"]) == (10, {"new": 10}, {})
    assert list_keys(BUCKET, keys.INDEX) == []


def test_run_that_was_stopped_before_its_plan_was_there_is_no_obstacle(
    in_bucket: dict[str, Any],
) -> None:
    run = plan(in_bucket)
    StoreAt(BUCKET).remove([keys.plan_key(run["run_id"])])
    assert plan(in_bucket, "run-2", 2)["objects"] == 10


def test_changed_picture_and_changed_recipe_are_done_again(
    in_bucket: dict[str, Any], aws: dict[str, Any]
) -> None:
    Worker(plan(in_bucket)).begin(10)
    aws["s3"].put_object(Bucket=INPUT, Key="full/03.jpg", Body=b"another picture")
    assert plan(in_bucket, "run-2", 2)["to_do"] == {"changed": 1}
    larger = plan({**in_bucket, "recipe": {"size": 256}, "dry_run": True}, "run-3", 3)
    assert larger["to_do"] == {"changed": 1, "recipe changed: size 128 -> 256": 9}


def test_run_that_is_on_all_the_while_ends_as_if_nobody_had_come(
    in_bucket: dict[str, Any],
) -> None:
    """Its own part of the index counts over what was taken over."""
    first = plan(in_bucket)
    worker = Worker(first)
    worker.begin(3)
    second = plan(in_bucket, "run-2", 2)
    worker.finish()
    assert report(first).stages["edge"]["written"] == 10
    Worker(second).finish()
    assert report(second).verdict == "succeeded"
    assert {entry.run.run_id for entry in index_at(BUCKET).entries.values()} == {"run-1", "run-2"}
    assert open_runs(BUCKET) == []
    assert plan(in_bucket, "run-3", 3)["objects"] == 0


def test_open_run_is_taken_over_by_every_plan_until_it_is_over(
    in_folder: dict[str, Any], tmp_path: Path
) -> None:
    unlocked = {**in_folder, "alone": False}
    Worker(plan(unlocked)).begin(4)
    Worker(plan(unlocked, "run-2", 2)).begin(2)
    third = plan(unlocked, "run-3", 3)
    assert third["adopted"] == {"runs that have not ended": 6}
    age(tmp_path / "out", IDLE_AFTER + timedelta(minutes=1))
    fourth = plan(unlocked, "run-4", 4)
    assert fourth["adopted"] == {"runs that were stopped": 6}
    assert fourth["done"] == {
        "done by run-1, before it was stopped": 4,
        "done by run-2, before it was stopped": 2,
    }
    output = Location.parse(third["output"], "output")
    assert [item.run_id for item in open_runs(output)] == ["run-4"]
    assert plan(unlocked, "run-5", 5)["done"]["unchanged"] == 6


def test_uploads_wait_for_nobody_and_take_over_only_what_is_over(
    in_bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = "20261123T101500Z-60s"
    source = Location(f"s3://{INPUT}", "full/")
    group = group_of([Upload(INPUT, f"full/{name}", "e", 5, "01") for name in NAMES], source)
    assert group is not None
    Worker(plan(in_bucket)).begin(4)
    write_bytes(BUCKET, keys.group_key(window, group.rows), group.document(Spent()))
    assert plan({"window": window}, f"upload-{window}", 2)["done"] == {}
    assert list_keys(BUCKET, keys.INDEX) == []
    monkeypatch.setattr(stopped_runs, "IDLE_AFTER", timedelta(0))
    plan({"window": window}, f"upload-{window}", 2)
    assert len(index_at(BUCKET).entries) == 4
    assert [item.run_id for item in open_runs(BUCKET)] == [f"upload-{window}"]


def test_run_of_whoever_holds_the_lock_ends_those_that_held_it(
    in_folder: dict[str, Any], tmp_path: Path
) -> None:
    first = plan(in_folder)
    Worker(first).begin(4)
    write_bytes(Location.parse(first["output"], "o"), keys.intermediate_folder("run-1") + "x", b"")
    second = plan(in_folder, "run-2", 2)
    assert second["done"] == {"done by run-1, before it was stopped": 4}
    assert second["adopted"] == {"the run that was stopped": 4}
    left = {path.relative_to(tmp_path / "out").parts[0] for path in (tmp_path / "out").rglob("*")}
    assert left == {"edges", "index", "open", "resized", "runs"}
    Worker(second).finish()
    assert report(second).sentence.endswith("; 4 of 10 were done by the run that was stopped.")
    assert plan(in_folder, "run-3", 3)["done"] == {"unchanged": 10}


def test_run_that_held_no_lock_may_be_on(in_folder: dict[str, Any]) -> None:
    first = plan({**in_folder, "alone": False})
    Worker(first).begin(4)
    second = plan(in_folder, "run-2", 2)
    assert second["adopted"] == {"a run that has not ended": 4}
    output = Location.parse(first["output"], "output")
    assert [item.run_id for item in open_runs(output)] == ["run-1", "run-2"]


def test_nobody_has_a_bucket_alone(in_bucket: dict[str, Any]) -> None:
    with pytest.raises(RunRefused, match='alone: needs an "output" that is a folder'):
        plan({**in_bucket, "alone": True})


def test_plan_that_is_made_again_takes_over_the_same(in_bucket: dict[str, Any]) -> None:
    Worker(plan(in_bucket)).begin(4)
    once = plan(in_bucket, "run-2", 2)
    before = {key: read_bytes(BUCKET, key) for key in list_keys(BUCKET, "")}
    assert plan(in_bucket, "run-2", 2) == once
    assert {key: read_bytes(BUCKET, key) for key in list_keys(BUCKET, "")} == before
