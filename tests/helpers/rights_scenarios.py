"""Ways through the pipeline that need the rights of its roles; each raises Broken without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from imagemill.execution import Execution
from imagemill.local_stack import LOCAL_PARAMETERS
from imagemill_contract.keys import (
    INDEX,
    INDEX_TABLE,
    LEAVES,
    inbox_folder,
    seal_key,
    upkeep_lock_key,
)
from imagemill_contract.outcomes import Reason
from imagemill_contract.requests.windows import Window
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_dataset.parts.merging import MAX_PARTS
from imagemill_dataset.parts.written_part import INLINE_ROWS
from imagemill_dataset.stored_index import write_index_part
from imagemill_dataset.upkeep_lock import UpkeepLock
from tests.helpers.memory_store import MemoryStore
from tests.helpers.networks import network
from tests.helpers.rights_setbacks import SETBACKS
from tests.helpers.rights_world import (
    LOG_SECONDS,
    World,
    edges_of,
    expect,
    key_of,
    prefix_of,
)
from tests.helpers.runs import executions

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
    """A run over two pictures, and one that finds them done, with logs, a page, and their use."""
    names = (*FUNCTIONS, "Worker")
    before = {name: world.log_streams(name) for name in names}
    prefix = prefix_of("hand")
    world.upload(prefix, 2)
    end = world.run(prefix)
    expect(end["stages"]["edge"]["written"] == 2, "both are written")
    page = world.read(world.key_at(end["page"]))
    expect(page.count(b"data:image/webp") == 2 * 3, "the page has sources, results and edges")
    folder = world.key_at(end["report"]).removesuffix("report.json")
    expect(len(world.keys(f"{folder}usage/")) >= 2, "jobs say what they have used")
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
    address = world.put_source(f"{prefix}list.csv", key_of(prefix, 0).encode())
    expect(world.run(prefix, manifest=address)["stages"]["edge"]["written"] == 1, "it is written")


def gone(world: World) -> None:
    """A run over a picture that is deleted before its job reads it."""
    prefix = prefix_of("gone")
    lines = f"key,etag,bytes\n{key_of(prefix, 0)},{'0' * 32},1000\n"
    address = world.put_source(f"{prefix}list.csv", lines.encode())
    end = world.run(prefix, manifest=address)
    expect(end["reasons"] == {"gone": 1}, "it is known to be gone")


def merged(world: World) -> None:
    """A run after so many others that the parts of the index are merged."""
    store = MemoryStore()
    for number in range(MAX_PARTS):
        run = IndexedRun(f"old-{number}", f"2026-01-01T00:00:{number:02d}Z", "s3://old/", {})
        count = 1 if number else INLINE_ROWS + 1  # one part is large, and has leaves
        keys = (f"old/{number}-{index}.jpg" for index in range(count))
        write_index_part(store, run, {key: Entry("0", Reason.CORRUPT, run) for key in keys})
    for key, body in store.objects.items():
        world.put(key, body)
    world.put(upkeep_lock_key(1), UpkeepLock("0", "compact", 0.0).encode())  # left long ago
    prefix = prefix_of("merged")
    world.upload(prefix, 1)
    world.run(prefix)
    expect(len(world.keys(INDEX)) == 1, "there is one part")
    expect(world.keys(LEAVES), "it has leaves")
    expect(not world.keys(LEAVES) & store.objects.keys(), "there are no others")


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
    world.put_source(key_of(prefix, 0).removesuffix(".jpg") + ".txt", b"a picture")
    world.run(prefix, recipe={"columns": ["caption"], "size": 32})


def dataset(world: World) -> None:
    """Two packed runs with labels, of which the second adds to the first; jobs keep journals."""
    world.put(INDEX_TABLE, b"of an older version: one file")
    prefix = prefix_of("packed")
    recipe = {"output": "webdataset", "label_from_folder": True, "size": 32}
    for count in (2, 3):
        world.upload(prefix, count)
        end = world.run(prefix, recipe=recipe)
        expect(end["verdict"] == "succeeded", "the dataset is written")
    expect(world.keys("dataset/"), "there is a dataset")
    expect(not world.keys("intermediate/"), "nothing is left between the stages")
    expect(INDEX_TABLE not in world.keys(INDEX_TABLE), "the table of the older version is gone")
    expect(world.keys("journal/"), "there is a journal")


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


def model(world: World) -> None:
    """A run with a neural network and a further stage, one that finds it done, one that prunes."""
    run_with_model(world, 2)


def model_slices(world: World) -> None:
    """The same with runs of several slices, of which the last one has new pictures."""
    run_with_model(world, 10)


def run_with_model(world: World, count: int) -> None:
    s3, bucket, prefix = world.stack.client("s3"), world.stack.input_bucket, prefix_of("model")
    s3.put_object(Bucket=bucket, Key="models/model.onnx", Body=network("image"))
    model = {"model": f"s3://{bucket}/models/model.onnx", "model_output": "image"}
    recipe = {**model, "size": 32, "more_stages": ["sharpness"]}
    world.upload(prefix, count)
    end = world.run(prefix, recipe=recipe)
    expect(end["stages"]["model"]["written"] == count, "all are done")
    page = world.read(world.key_at(end["page"]))
    expect(page.count(b"data:image/webp") == count * 4, "the page has what the model drew")
    expect("Nothing to do" in world.run(prefix, recipe=recipe)["sentence"], "all are known as done")
    if count > 2:
        world.upload(prefix, count)
    world.remove(prefix)
    world.run(prefix, recipe=recipe, prune=True)
    first = key_of(prefix, 0)
    for folder in ("model_output", "stages/sharpness"):
        expect(not world.keys(f"{folder}/{first}"), "what was deleted is removed")


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


def copies_slices(world: World) -> None:
    """A run of several slices leaves out a picture that lies in two of them."""
    prefix = prefix_of("copies")
    world.upload(prefix, 9)
    copied = {"Bucket": world.stack.input_bucket, "Key": key_of(prefix, 0)}
    body = world.stack.client("s3").get_object(**copied)["Body"].read()
    world.put_source(f"{prefix}zz.jpg", body)
    end = world.run(prefix, recipe={"drop_duplicates": True, "size": 32})
    expect(end["stages"]["resize"]["written"] == 9, "the copy is left out")


SCENARIOS: dict[str, Callable[[World], None]] = {
    scenario.__name__: scenario
    for scenario in (
        *(by_hand, upload, late, told),
        *(manifest, columns, columns_slices, dataset),
        *(slices, fewer, packed_slices, copies_slices, pruned, pruned_slices, gone, merged),
        *SETBACKS,
        *(model, model_slices),
    )
}
