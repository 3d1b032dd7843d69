"""Ways through the pipeline that need the rights of its roles; each raises Broken without one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from imagemill.execution import Execution
from imagemill.local_stack import LOCAL_PARAMETERS
from imagemill_contract.keys import inbox_folder, seal_key, stopped_key
from imagemill_contract.requests.windows import Window
from tests.helpers.rights_world import (
    LOG_SECONDS,
    World,
    edges_of,
    expect,
    key_of,
    prefix_of,
)
from tests.helpers.runs import executions, resource_id, start

WINDOWS_ENDED = 4  # more than pass until an upload is in the inbox
FUNCTIONS = ("PlanRun", "AggregateRun")
OF_SLICES = ("PlanRun", "PlanSlice", "CommitPlan", "AggregateSlice", "AggregateRun")


def upload(world: World) -> None:
    """An upload becomes a run, and its function leaves a log."""
    until_uploaded(world, prefix_of("upload"))
    world.until_logged("GroupObjects", 0)


def late(world: World) -> None:
    """An upload comes after the run of its window has ended, and goes into a later window."""
    now = datetime.now(UTC)
    ended = [Window.at(now, int(LOCAL_PARAMETERS["UploadWindowSeconds"]))]
    while len(ended) < WINDOWS_ENDED:
        ended.append(ended[-1].next())
    states = world.stack.client("stepfunctions")
    for window in ended:
        states.start_execution(
            stateMachineArn=world.stack.state_machine_arn,
            name=window.run_id,
            input=json.dumps({"window": window.name, "closes": f"{now:%Y-%m-%dT%H:%M:%SZ}"}),
        )
    before = executions(world.stack)
    world.until(lambda: not any(run.is_running() for run in before.values()), "they have ended")
    until_uploaded(world, prefix_of("late"))
    tried = [key for window in ended for key in world.keys(inbox_folder(window.name))]
    expect(set(tried) - {seal_key(window.name) for window in ended}, "it came late")


def until_uploaded(world: World, prefix: str) -> None:
    """Upload a picture and wait for its results, and for the end of its run."""
    before = executions(world.stack).keys()
    world.upload(f"full/{prefix}", 1)

    def new_runs() -> list[Execution]:
        found = executions(world.stack).items()
        return [run for name, run in found if name not in before]

    def is_decided() -> bool:
        has_results = bool(world.keys(f"edges/{prefix}"))
        return has_results or any(map(world.failure_of, new_runs())) or has_error()

    def has_error() -> bool:
        return world.has_error("GroupObjects")

    world.until(is_decided, "the upload is processed")
    expect(not has_error(), "GroupObjects works")
    for run in new_runs():
        world.end(run)


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
    """A run over a picture with a caption beside it, which goes into a file of metadata."""
    run_with_caption(world, 1)
    expect(world.keys("resized/metadata.jsonl"), "there are metadata")


def columns_slices(world: World) -> None:
    """A run of several slices over pictures of which one has a caption."""
    run_with_caption(world, 10)


def run_with_caption(world: World, count: int) -> None:
    prefix = prefix_of("columns")
    world.upload(prefix, count)
    caption = key_of(prefix, 0).removesuffix(".jpg") + ".txt"
    world.stack.client("s3").put_object(
        Bucket=world.stack.input_bucket, Key=caption, Body=b"a picture"
    )
    world.run(prefix, recipe={"columns": ["caption"], "size": 32})


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


def pruned_slices(world: World) -> None:
    """A run of several slices over changed pictures removes what is deleted at the source."""
    prefix = prefix_of("changed")
    world.upload(prefix, 10)
    world.run(prefix)
    world.upload(prefix, 10)
    world.remove(prefix)
    world.run(prefix, prune=True)
    expect(not world.keys(edges_of(prefix, 0)), "what was deleted is removed")


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


def fewer(world: World) -> None:
    """A run of several slices, then one of a single slice that finds its pictures done."""
    prefix = prefix_of("fewer")
    world.upload(prefix, 9)
    world.run(prefix)
    world.remove(prefix)
    expect("Nothing to do" in world.run(prefix)["sentence"], "the rest is known as done")


def packed_slices(world: World) -> None:
    """A packed run of several slices, with labels."""
    prefix = prefix_of("many")
    world.upload(prefix, 10)
    recipe = {"output": "webdataset", "label_from_folder": True, "size": 32}
    expect(world.run(prefix, recipe=recipe)["verdict"] == "succeeded", "the dataset is written")


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


def half_done(world: World) -> None:
    """A run is stopped between the two jobs of a shard, and the next finds only the edges."""
    take_over(world, 8)


def half_done_slices(world: World) -> None:
    """The same with runs of several slices."""
    take_over(world, 16)


def take_over(world: World, count: int) -> None:
    """Run over so many pictures, stop after the first resize job, and run again."""
    prefix = prefix_of("half")
    world.upload(prefix, count)
    run = start(world.stack, {"source": f"s3://{world.stack.input_bucket}/{prefix}"})
    resized = f"runs/{run.run_id}/outcomes/resize/"
    world.until(lambda: world.keys(resized) or not run.is_running(), "a job has ended")
    expect(run.is_running(), "the run goes on")
    world.stop(run)
    world.stack.client("s3").put_object(  # as `imagemill cancel` says that it is over
        Bucket=world.stack.output_bucket, Key=stopped_key(run.run_id), Body=b"{}"
    )
    time.sleep(0.5)
    expect(world.run(prefix)["verdict"] == "succeeded", "the next run does the rest")


SCENARIOS: dict[str, Callable[[World], None]] = {
    scenario.__name__: scenario
    for scenario in (
        *(by_hand, upload, late, told),
        *(manifest, columns, columns_slices, dataset),
        *(slices, fewer, packed_slices, pruned, pruned_slices),
        *(stopped, half_done, half_done_slices),
    )
}
