"""Uploads are gathered into one run, and later runs do only what is left."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from imagemill.execution import Execution
from imagemill.local_stack import LocalStack, local_stack
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, executions, keys_in, start

pytestmark = pytest.mark.engine

PICTURES = 300
WINDOW_SECONDS = 15


@pytest.fixture(scope="module")
def patient_stack() -> Iterator[LocalStack]:
    """Windows long enough for three bursts, whenever in a window they begin."""
    with local_stack(parameters={"UploadWindowSeconds": str(WINDOW_SECONDS)}) as running:
        yield running


def upload(stack: LocalStack, numbers: range | list[int]) -> None:
    s3 = stack.client("s3")
    for number in numbers:
        body = cut(number % 40)
        s3.put_object(Bucket=stack.input_bucket, Key=f"full/{number:03}.jpg", Body=body)


def wait_for_a_window(seconds: int, used: float) -> None:
    """Wait until a window has begun, unless at most `used` seconds of one are gone."""
    gone = time.time() % seconds
    if gone > used:
        time.sleep(seconds - gone)


def new_runs(stack: LocalStack, known: set[str]) -> list[Execution]:
    deadline = time.monotonic() + 60
    while not (fresh := set(executions(stack)) - known):
        assert time.monotonic() < deadline, "no run starts"
        time.sleep(0.2)
    time.sleep(2)  # a second one would have started by now
    fresh = set(executions(stack)) - known
    return [ended(run) for name, run in executions(stack).items() if name in fresh]


def test_three_bursts_are_one_run_and_later_runs_touch_only_what_is_left(
    patient_stack: LocalStack,
) -> None:
    stack = patient_stack
    wait_for_a_window(WINDOW_SECONDS, used=1)
    for first in (0, 100, 200):
        upload(stack, range(first, first + 100))
        time.sleep(0.5)
    (run,) = new_runs(stack, set())
    assert run.result()["stages"]["edge"]["written"] == PICTURES
    before = {key: modified(stack, key) for key in keys_in(stack, stack.output_bucket, "edges/")}
    assert len(before) == PICTURES

    upload(stack, range(PICTURES, PICTURES + 10))
    second = new_runs(stack, {run.run_id})
    assert sum(item.result()["stages"]["edge"]["written"] for item in second) == 10
    after = {key: modified(stack, key) for key in keys_in(stack, stack.output_bucket, "edges/")}
    assert len(after) == PICTURES + 10
    assert {key: after[key] for key in before} == before

    by_hand = ended(start(stack, {"source": f"s3://{stack.input_bucket}/full/"}))
    result = by_hand.result()
    assert result["sentence"] == "Nothing to do: all 310 pictures are done already."
    assert result["stages"]["resize"]["planned"] == 0


def modified(stack: LocalStack, key: str) -> object:
    return stack.client("s3").head_object(Bucket=stack.output_bucket, Key=key)["LastModified"]


def test_redelivered_and_shuffled_events_change_nothing(patient_stack: LocalStack) -> None:
    """The same pictures again, in another order and some twice: at most runs with nothing to do."""
    stack = patient_stack
    known = set(executions(stack))
    numbers = [number % PICTURES for number in range(60)] + list(range(20))
    random.Random(1).shuffle(numbers)
    upload(stack, numbers)
    for run in new_runs(stack, known):
        result = run.result()
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
