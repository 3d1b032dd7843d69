"""A cancelled run leaves nothing that runs, and loses nothing that is done."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine
from tests.helpers.commands import Call, Source
from tests.helpers.photographs import cut
from tests.helpers.runs import executions, resource_id
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine

COUNT = 120  # more than is done before it is cancelled: a tenth of a second each, or more
SLOW = ("--size", 1500, "--format", "png")
CANCELLED_WITHIN_SECONDS = 10


def active_jobs(stack: LocalStack, run_id: str) -> list[str]:
    """Jobs of a run that have not ended, by AWS Batch's own list of each state."""
    batch, queue = stack.client("batch"), resource_id(stack, "JobQueue")
    return [
        job["jobName"]
        for status in ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
        for job in batch.list_jobs(jobQueue=queue, jobStatus=status)["jobSummaryList"]
        if run_id in job["jobName"]
    ]


@pytest.fixture
def running(call: Call, source: Source) -> str:
    """A run whose jobs have begun."""
    body = cut(1, scale=8)
    for index in range(COUNT):
        source.put(f"{index:03}.jpg", body)
    run_id: str = call("start", source.address, *SLOW, "--json").document["run_id"]
    until(
        lambda: call("status", run_id, "--json").document["stages"]["resize"]["done"],
        "pictures are done",
    )
    return run_id


def test_cancelled_run_leaves_no_job_and_the_next_one_takes_over_what_it_has_done(
    running: str, call: Call, source: Source
) -> None:
    stack = source.stack
    status = call("status", running)
    assert f"{running} has been running for" in status.out
    assert f"of {COUNT} images" in status.out
    assert f"imagemill cancel {running}" in status.out
    retried = call("retry", running)
    assert (retried.code, "is going on" in retried.err) == (2, True)
    assert active_jobs(stack, running)

    began = time.monotonic()
    ended = call("cancel", running)
    seconds = time.monotonic() - began

    assert ended.code == 0, ended.err
    assert active_jobs(stack, running) == []
    assert seconds < CANCELLED_WITHIN_SECONDS
    assert f"{running} is stopped; " in ended.out
    assert f"of {COUNT:,} pictures resized" in ended.out
    assert "takes over what is done" in ended.out
    (row,) = [row for row in call("runs", "--json").document if row["run_id"] == running]
    assert row["state"] == "stopped"
    assert "was stopped after" in call("status", running).out

    again = call("cancel", running, "--json")
    assert (again.code, again.document["was_running"], again.document["jobs_ended"]) == (
        0,
        False,
        0,
    )
    following = call("start", source.address, *SLOW, "--json").document
    planned = following["planned"]
    assert call("cancel", following["run_id"]).code == 0
    assert planned["objects"] + sum(planned["done"].values()) == COUNT
    assert planned["to_do"]["new, but resized by the run that was stopped"] > 0


def test_cancelled_packed_run_leaves_no_job_and_the_next_one_packs_everything(
    engine: Engine, call: Call
) -> None:
    stack = deployed_on(engine, {}, f"cancel-{uuid4().hex[:6]}")
    source, count, body = Source.new(stack), 40, cut(1, scale=8)
    for index in range(count):
        source.put(f"{index:03}.jpg", body)
    command = ("start", source.address, "--stack", stack.name, "--output", "webdataset", *SLOW)
    run_id = call(*command, "--json").document["run_id"]
    until(lambda: active_jobs(stack, run_id), "a job has begun")

    began = time.monotonic()
    ended = call("cancel", run_id, "--stack", stack.name)
    assert ended.code == 0, ended.err
    assert active_jobs(stack, run_id) == []
    assert time.monotonic() - began < CANCELLED_WITHIN_SECONDS

    following = call(*command, "--json").document["run_id"]
    until(lambda: not executions(stack)[following].is_running(), "the next run has ended")
    report = call("report", following, "--stack", stack.name, "--json").document
    assert report["dataset"]["samples"] == count
    assert report["dataset"]["verified"]["samples"] == count
