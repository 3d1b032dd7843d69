"""Ways through the pipeline that need the rights of its roles; each raises Broken without one."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from imagemill.execution import Execution
from imagemill.local_stack import LocalStack
from tests.helpers.photographs import cut
from tests.helpers.runs import executions, keys_in, resource_id, start

WAIT_SECONDS = 25.0  # many times what a step takes
LOG_SECONDS = 5.0  # lines are there before the run has ended
FAILURES = ("TaskFailed", "MapRunFailed", "ExecutionFailed", "LambdaFunctionFailed")
FUNCTIONS = ("PlanRun", "AggregateRun")
OF_SLICES = ("PlanRun", "PlanSlice", "CommitPlan", "AggregateSlice", "AggregateRun")


class Broken(Exception):
    """The pipeline does not do what it should; the message says what."""


@dataclass
class World:
    """A stack whose runs of more than eight pictures are cut into slices."""

    stack: LocalStack
    numbers: Any = field(default_factory=itertools.count)

    def upload(self, prefix: str, count: int) -> None:
        """Put pictures into two folders; no two uploads give results of the same name."""
        for index in range(count):
            body = cut(next(self.numbers))
            self.stack.client("s3").put_object(
                Bucket=self.stack.input_bucket, Key=key_of(prefix, index), Body=body
            )

    def remove(self, prefix: str) -> None:
        """Delete the first picture of an upload."""
        bucket = self.stack.input_bucket
        self.stack.client("s3").delete_object(Bucket=bucket, Key=key_of(prefix, 0))

    def run(self, prefix: str, **fields: Any) -> dict[str, Any]:
        """The output of a run by hand. Raises Broken at its first failure."""
        source = f"s3://{self.stack.input_bucket}/{prefix}"
        return self.end(start(self.stack, {"source": source, **fields}))

    def end(self, run: Execution) -> dict[str, Any]:
        """The output of a run that is under way. Raises Broken at its first failure."""
        deadline = time.monotonic() + WAIT_SECONDS
        while run.is_running():
            if failure := self.failure_of(run):
                self.stop(run)
                raise Broken(failure)
            if time.monotonic() > deadline:
                self.stop(run)
                raise Broken("the run does not end")
            time.sleep(0.1)
        described = self.stack.client("stepfunctions").describe_execution(executionArn=run.arn)
        if described["status"] != "SUCCEEDED":
            raise Broken(f"the run failed: {described.get('cause', '')[:200]}")
        return run.result()

    def stop(self, run: Execution) -> None:
        """Stop a run, unless it has just ended."""
        with suppress(ClientError):
            run.stop("it is broken")

    def failure_of(self, run: Execution) -> str:
        history = self.stack.client("stepfunctions").get_execution_history(executionArn=run.arn)
        failed = [event["type"] for event in history["events"] if event["type"] in FAILURES]
        return f"{failed[0]} in the run" if failed else ""

    def until(self, ask: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not ask():
            if time.monotonic() > deadline:
                raise Broken(f"not true: {what}")
            time.sleep(0.1)

    def log_streams(self, name: str) -> int:
        group = resource_id(self.stack, f"{name}LogGroup")
        return len(self.stack.client("logs").describe_log_streams(logGroupName=group)["logStreams"])

    def until_logged(self, name: str, before: int) -> None:
        """Wait for a stream in a log group that had so many."""
        self.until(lambda: self.log_streams(name) > before, f"{name} logs", LOG_SECONDS)

    def keys(self, prefix: str) -> set[str]:
        return keys_in(self.stack, self.stack.output_bucket, prefix)


def key_of(prefix: str, index: int) -> str:
    """The key of a picture of an upload."""
    return f"{prefix}{index % 2}/{prefix.rstrip('/').rpartition('/')[2]}-{index}.jpg"


def edges_of(prefix: str, index: int) -> str:
    """The key of its edge map, after a run over the whole upload."""
    return f"edges/{key_of(prefix, index).removeprefix(prefix)}.png"


def prefix_of(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}/"


def expect(is_true: object, what: str) -> None:
    if not is_true:
        raise Broken(f"not true: {what}")


def upload(world: World) -> None:
    """Two uploads, one after the other, each become a run, and leave their log."""
    before = world.log_streams("GroupObjects")
    for _ in range(2):
        prefix = prefix_of("upload")
        world.upload(f"full/{prefix}", 1)
        world.until(partial(world.keys, f"edges/{prefix}"), "the upload is processed")
    for run in executions(world.stack).values():
        if run.run_id.startswith("upload-"):
            world.end(run)
    world.until(
        lambda: world.log_streams("GroupObjects") > before, "GroupObjects logs", LOG_SECONDS
    )


def by_hand(world: World) -> None:
    """A run over two pictures, and one that finds them done; functions and jobs leave logs."""
    names = (*FUNCTIONS, "Worker")
    before = {name: world.log_streams(name) for name in names}
    prefix = prefix_of("hand")
    world.upload(prefix, 2)
    expect(world.run(prefix)["stages"]["edge"]["written"] == 2, "both are written")
    expect("Nothing to do" in world.run(prefix)["sentence"], "both are known as done")
    for name in names:
        world.until_logged(name, before[name])


def uploads(world: World) -> None:
    """Uploads that come one by one: some find the run of their window started, or under way."""
    prefix = prefix_of("uploads")
    for number in range(12):
        world.upload(f"full/{prefix}{number}/", 1)
        time.sleep(0.3)
    for number in range(12):
        world.until(partial(world.keys, f"edges/{prefix}{number}/"), "each upload is processed")


def told(world: World) -> None:
    """The end of a run is told by an event."""
    sqs, events = world.stack.client("sqs"), world.stack.client("events")
    prefix = prefix_of("told")
    name = prefix.rstrip("/")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["imagemill"]}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
    world.upload(prefix, 1)
    world.run(prefix)
    world.until(lambda: "Messages" in sqs.receive_message(QueueUrl=url), "an event", LOG_SECONDS)


def manifest(world: World) -> None:
    """A run over the keys of a manifest in the input bucket."""
    prefix = prefix_of("manifest")
    world.upload(prefix, 2)
    world.stack.client("s3").put_object(
        Bucket=world.stack.input_bucket, Key=f"{prefix}list.csv", Body=key_of(prefix, 0).encode()
    )
    address = f"s3://{world.stack.input_bucket}/{prefix}list.csv"
    expect(world.run(prefix, manifest=address)["stages"]["edge"]["written"] == 1, "it is written")


def columns(world: World) -> None:
    """A run over pictures with captions in files beside them, which go into a file of metadata."""
    prefix = prefix_of("columns")
    world.upload(prefix, 1)
    caption = key_of(prefix, 0).removesuffix(".jpg") + ".txt"
    world.stack.client("s3").put_object(
        Bucket=world.stack.input_bucket, Key=caption, Body=b"a picture"
    )
    world.run(prefix, recipe={"columns": ["caption"], "size": 32})
    expect(world.keys("resized/metadata.jsonl"), "there are metadata")


def dataset(world: World) -> None:
    """Two packed runs with labels, of which the second adds to the first."""
    prefix = prefix_of("packed")
    recipe = {"output": "webdataset", "label_from_folder": True, "size": 32}
    for count in (2, 3):
        world.upload(prefix, count)
        end = world.run(prefix, recipe=recipe)
        expect(end["verdict"] == "succeeded", "the dataset is written")
    expect(world.keys("dataset/"), "there is a dataset")
    expect(not world.keys("intermediate/"), "nothing is left between the stages")


def pruned(world: World) -> None:
    """What is deleted at the source is removed from the results."""
    prefix = prefix_of("pruned")
    world.upload(prefix, 2)
    world.run(prefix)
    world.remove(prefix)
    world.run(prefix, prune=True)
    expect(not world.keys(edges_of(prefix, 0)), "its results are removed")
    expect(world.keys(edges_of(prefix, 1)), "the others are kept")


def slices(world: World) -> None:
    """A run of several slices, one that finds it done, and one that prunes."""
    before = {name: world.log_streams(name) for name in OF_SLICES}
    prefix = prefix_of("sliced")
    world.upload(prefix, 10)
    expect(world.run(prefix)["stages"]["edge"]["written"] == 10, "all are written")
    expect("Nothing to do" in world.run(prefix)["sentence"], "all are known as done")
    world.remove(prefix)
    world.run(prefix, prune=True)
    expect(not world.keys(edges_of(prefix, 0)), "what was deleted is removed")
    for name in OF_SLICES:
        world.until_logged(name, before[name])


def stopped(world: World) -> None:
    """A run is stopped, its jobs end with it, and the next run takes over what it has done."""
    prefix = prefix_of("stopped")
    world.upload(prefix, 8)
    run = start(world.stack, {"source": f"s3://{world.stack.input_bucket}/{prefix}", "shards": 8})
    outcomes = f"runs/{run.run_id}/outcomes/edge/"
    world.until(lambda: world.keys(outcomes) or world.failure_of(run), "a job has ended")
    run.stop("enough")
    time.sleep(0.5)
    batch, queue = world.stack.client("batch"), resource_id(world.stack, "JobQueue")
    for status in ("RUNNABLE", "STARTING", "RUNNING"):
        listed = batch.list_jobs(jobQueue=queue, jobStatus=status)["jobSummaryList"]
        expect(not [job for job in listed if run.run_id in job["jobName"]], "no job goes on")
    again = world.run(prefix)
    expect(" were done by a run that " in again["sentence"], "the next run takes over what is done")


SCENARIOS: dict[str, Callable[[World], None]] = {
    scenario.__name__: scenario
    for scenario in (
        *(by_hand, upload, uploads, told),
        *(manifest, columns, dataset, slices, pruned, stopped),
    )
}
