"""Rivals of a run that has many slices: what is overwritten is found slice by slice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from imagemill_app.results.open_runs import open_runs
from imagemill_app.stores import StoreAt
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_dataset.stored_index import StoredIndex
from tests.helpers.run_steps import INPUT, OUTPUT, SETTINGS, Worker, plan, report

FOUR = replace(SETTINGS, slice_objects=4)
BUCKET = Location(f"s3://{OUTPUT}")
NAMES = [f"{number:02}.jpg" for number in range(10)]


@pytest.fixture
def request_at(aws: dict[str, Any]) -> dict[str, Any]:
    for name in NAMES:
        aws["s3"].put_object(Bucket=INPUT, Key=f"full/{name}", Body=name.encode())
    return {"source": f"s3://{INPUT}/full/"}


def test_overwritten_results_of_many_slices_are_done_again(request_at: dict[str, Any]) -> None:
    slow = plan(request_at, settings=FOUR)
    worker = Worker(slow)
    before = worker.begin(3)
    fast = plan({**request_at, "recipe": {"size": 256}}, "run-2", 2, FOUR)
    Worker(fast).finish()
    assert report(fast).verdict == "succeeded"
    worker.go_on(before)
    verdict = report(slow)
    assert "7 results of run-2 overwritten by it" in verdict.sentence
    rows = dict(StoredIndex.opened(StoreAt(BUCKET)).rows())
    assert sum(entry.reason is Reason.OVERWRITTEN for entry in rows.values()) == 7
    assert open_runs(BUCKET) == []


def test_stopped_run_of_many_slices_is_taken_over(request_at: dict[str, Any]) -> None:
    done = Worker(plan(request_at, settings=FOUR)).begin(7)
    second = plan(request_at, "run-2", 2, FOUR)
    worker = Worker(second)
    assert sorted(worker.keys + done) == [f"full/{name}" for name in NAMES]
    assert second["adopted"] == {"a run that has not ended": 7}
    worker.finish()
    assert report(second).verdict == "succeeded"
    assert plan(request_at, "run-3", 3, FOUR)["objects"] == 0
