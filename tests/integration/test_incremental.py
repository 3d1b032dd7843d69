"""Uploads are gathered into one run, and later runs do only what is left."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from imagemill.execution import Execution
from imagemill.local_stack import LOCAL_PARAMETERS, LocalStack, deployed_on
from imagemill_contract.document_parts.lines import decode_lines
from imagemill_contract.keys import INBOX
from imagemill_contract.requests.windows import Window
from imagemill_engine.engine import Engine
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, executions, keys_in, resource_id, start
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine

PICTURES = 300


@pytest.fixture(scope="module")
def patient_stack(engine: Engine) -> LocalStack:
    """Windows that no test lives to see the end of: runs of uploads wait, until one is let go."""
    # of windows this long, those of one length or the other have hours to go
    seconds = max((70_000, 80_000, 86_400), key=lambda length: length - time.time() % length)
    return deployed_on(engine, {"UploadWindowSeconds": str(seconds)}, "patient")


def upload(stack: LocalStack, folder: str, numbers: Iterable[int]) -> set[str]:
    """Put pictures; returns their keys."""
    keys = {}
    for number in numbers:
        keys[number] = f"full/{folder}/{number:03}.jpg"
        body = cut(number % 40)
        stack.client("s3").put_object(Bucket=stack.input_bucket, Key=keys[number], Body=body)
    return set(keys.values())


def inbox(stack: LocalStack) -> dict[str, set[str]]:
    """Keys of the pictures that wait, by the name of their window."""
    s3, found = stack.client("s3"), dict[str, set[str]]()
    for key in keys_in(stack, stack.output_bucket, INBOX):
        if key.endswith(".jsonl.gz"):
            body = s3.get_object(Bucket=stack.output_bucket, Key=key)["Body"].read()
            window = key.removeprefix(INBOX).partition("/")[0]
            _, rows = decode_lines("group", body)
            found.setdefault(window, set()).update(str(row["key"]) for row in rows)
    return found


def gathered(stack: LocalStack, wanted: set[str], known: Iterable[str] = ()) -> set[str]:
    """Wait until these keys are in windows that are not known; returns the names of those."""
    queue = resource_id(stack, "UploadQueue")

    def windows() -> set[str] | None:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        new = {name: keys for name, keys in inbox(stack).items() if name not in known}
        answer = stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        is_empty = {answer["Attributes"][name] for name in names} == {"0"}
        return set(new) if is_empty and wanted <= set().union(*new.values()) else None

    return until(windows, "all uploads are gathered", 0.2) or set()


def run_of_window(stack: LocalStack, name: str) -> Execution:
    """Run what a window has gathered now, in place of its own run, which waits for its end."""
    waiting = executions(stack)[f"upload-{name}"]
    assert waiting.is_running()
    waiting.stop("the test goes on by hand")
    return ended(start(stack, {"window": name}))


def waits_until(run: Execution) -> str:
    """The time that the first state of a run of uploads waits for."""
    history = run.states.get_execution_history(executionArn=run.arn)["events"]
    entered = [e["stateEnteredEventDetails"] for e in history if "stateEnteredEventDetails" in e]
    assert [details["name"] for details in entered] == ["IsUpload", "WaitForUploads"]
    given: dict[str, Any] = json.loads(entered[-1]["input"])
    return str(given["closes"])


def test_three_bursts_are_one_run_and_later_runs_touch_only_what_is_left(
    patient_stack: LocalStack,
) -> None:
    stack = patient_stack
    for first in (0, 100, 200):
        (window,) = gathered(stack, upload(stack, "bursts", range(first, first + 100)))
    (waiting,) = executions(stack).values()
    closes = Window.parse(window).end + timedelta(
        seconds=int(LOCAL_PARAMETERS["WindowGraceSeconds"])
    )
    assert (waiting.run_id, waits_until(waiting)) == (f"upload-{window}", f"{closes:%FT%TZ}")
    first_run = run_of_window(stack, window)
    assert first_run.result()["stages"]["edge"]["written"] == PICTURES
    before = times_of_edges(stack, "bursts")
    assert len(before) == PICTURES

    ten_more = upload(stack, "bursts", range(PICTURES, PICTURES + 10))
    (later,) = gathered(stack, ten_more, {window})
    assert run_of_window(stack, later).result()["stages"]["edge"]["written"] == 10
    after = times_of_edges(stack, "bursts")
    assert len(after) == PICTURES + 10
    assert {key: after[key] for key in before} == before

    count = len(keys_in(stack, stack.input_bucket, "full/"))
    by_hand = ended(start(stack, {"source": f"s3://{stack.input_bucket}/full/"}))
    result = by_hand.result()
    assert result["sentence"] == f"Nothing to do: all {count} pictures are done already."
    assert result["stages"]["resize"]["planned"] == 0


def times_of_edges(stack: LocalStack, folder: str) -> dict[str, object]:
    """When each edge map of a folder was written, by its key."""
    listed = stack.client("s3").get_paginator("list_objects_v2")
    pages = listed.paginate(Bucket=stack.output_bucket, Prefix=f"edges/{folder}/")
    return {item["Key"]: item["LastModified"] for page in pages for item in page["Contents"]}


def test_redelivered_and_shuffled_events_change_nothing(patient_stack: LocalStack) -> None:
    """The same pictures again, in another order and some twice: at most runs with nothing to do."""
    stack, known = patient_stack, set(inbox(patient_stack))
    (first,) = gathered(stack, upload(stack, "again", range(60)), known)
    assert run_of_window(stack, first).result()["stages"]["edge"]["written"] == 60
    numbers = [*range(60), *range(20)]
    random.Random(1).shuffle(numbers)
    for window in gathered(stack, upload(stack, "again", numbers), {*known, first}):
        result = run_of_window(stack, window).result()
        assert result["stages"]["resize"]["planned"] == 0
        assert result["sentence"].startswith("Nothing to do: all ")


def test_change_of_recipe_or_picture_and_missing_output_are_done_again(
    patient_stack: LocalStack,
) -> None:
    stack, s3 = patient_stack, patient_stack.client("s3")
    source = {"source": f"s3://{stack.input_bucket}/redo/"}
    for number in range(4):
        s3.put_object(Bucket=stack.input_bucket, Key=f"redo/{number}.jpg", Body=cut(number))
    assert ended(start(stack, source)).result()["stages"]["edge"]["written"] == 4

    s3.put_object(Bucket=stack.input_bucket, Key="redo/0.jpg", Body=cut(30))
    s3.delete_object(Bucket=stack.output_bucket, Key="edges/1.jpg.png")
    s3.put_object(Bucket=stack.input_bucket, Key="redo/new.jpg", Body=cut(31))
    s3.delete_object(Bucket=stack.input_bucket, Key="redo/3.jpg")
    shown = ended(start(stack, {**source, "dry_run": True})).result()
    assert shown["to_do"] == {"changed": 1, "output missing": 1, "new": 1}
    assert (shown["deleted"], shown["done"]) == (1, {"unchanged": 1})
    assert ended(start(stack, source)).result()["stages"]["edge"]["written"] == 3

    larger = ended(start(stack, {**source, "recipe": {"size": 160}, "dry_run": True})).result()
    assert larger["to_do"] == {"recipe changed: size 128 -> 160": 4}
    again = ended(start(stack, {**source, "full": True})).result()
    assert again["stages"]["edge"]["written"] == 4

    assert "resized/3.jpg" in keys_in(stack, stack.output_bucket, "resized/3")
    pruned = ended(start(stack, {**source, "prune": True})).result()
    assert pruned["sentence"].startswith("Nothing to do")
    assert keys_in(stack, stack.output_bucket, "resized/3.jpg") == set()
    assert keys_in(stack, stack.output_bucket, "edges/3.jpg") == set()
    assert ended(start(stack, {**source, "dry_run": True})).result()["deleted"] == 0


def test_two_runs_at_once_end_with_the_bytes_of_one(patient_stack: LocalStack) -> None:
    stack, s3 = patient_stack, patient_stack.client("s3")
    for number in range(20):
        s3.put_object(Bucket=stack.input_bucket, Key=f"twice/{number}.jpg", Body=cut(number))
    document = {"source": f"s3://{stack.input_bucket}/twice/", "full": True}
    once = ended(start(stack, document)).result()
    keys = sorted(keys_in(stack, stack.output_bucket, "resized/1"))

    def bytes_of() -> list[bytes]:
        objects = (s3.get_object(Bucket=stack.output_bucket, Key=key) for key in keys)
        return [item["Body"].read() for item in objects]

    before = bytes_of()
    both = [start(stack, document), start(stack, document)]
    for run in both:
        assert ended(run).result()["stages"] == once["stages"]
    assert bytes_of() == before
