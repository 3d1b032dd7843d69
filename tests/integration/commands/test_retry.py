"""A retry leaves what a run that never failed leaves."""

from __future__ import annotations

import io
import json
import tarfile
from uuid import uuid4

import pytest

from imagemill.local_stack import LocalStack, deployed_on
from imagemill_engine.engine import Engine
from tests.helpers.commands import Call, Source
from tests.helpers.photographs import cut
from tests.helpers.runs import executions, keys_in
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine


def stack_of_its_own(engine: Engine) -> LocalStack:
    return deployed_on(engine, {}, f"retry-{uuid4().hex[:6]}")


def finished(call: Call, stack: LocalStack, *words: object) -> str:
    """Run a command that starts a run on that stack, and wait for its end; gives its id."""
    started = call(*words, "--stack", stack.name, "--json")
    assert started.code == 0, started.err
    run_id: str = started.document["run_id"]
    until(lambda: not executions(stack)[run_id].is_running(), "the run has ended")
    return run_id


def body_of(stack: LocalStack, key: str) -> bytes:
    body: bytes = stack.client("s3").get_object(Bucket=stack.output_bucket, Key=key)["Body"].read()
    return body


def files_of(stack: LocalStack, name: str) -> dict[str, bytes]:
    """Resized pictures and edge maps by their names below the source."""
    return {
        key.replace(name, "", 1): body_of(stack, key)
        for folder in ("resized", "edges")
        for key in keys_in(stack, stack.output_bucket, f"{folder}/{name}/")
    }


def samples_of(stack: LocalStack) -> dict[str, bytes]:
    """What the dataset shards hold, by the names of the files in them."""
    found: dict[str, bytes] = {}
    for key in keys_in(stack, stack.output_bucket, "dataset/images-"):
        with tarfile.open(fileobj=io.BytesIO(body_of(stack, key))) as archive:
            for member in archive:
                file = archive.extractfile(member)
                assert file is not None
                assert member.name not in found
                found[member.name] = file.read()
    return found


def with_captions(source: Source) -> tuple[str, ...]:
    return ("--columns", "caption", "--manifest", f"{source.address}{source.name}/list.jsonl")


def test_files_after_a_retry_are_those_of_a_run_that_never_failed(
    stack: LocalStack, call: Call, source: Source
) -> None:
    whole = Source.new(stack)
    for index in range(4):
        whole.put(f"{index}.jpg", cut(index))
        source.put(f"{index}.jpg", cut(index) if index else cut(index)[:400])
    for bucket in (whole, source):  # what only a manifest says is there in a retry, too
        keys = (f"{bucket.name}/{bucket.name}/{index}.jpg" for index in range(4))
        lines = (json.dumps({"key": key, "caption": f"the picture {key}"}) for key in keys)
        bucket.put("list.jsonl", "\n".join(lines).encode())
    finished(call, stack, "start", whole.address, *with_captions(whole))
    first = finished(call, stack, "start", source.address, *with_captions(source))
    assert len(files_of(stack, source.name)) == 6

    source.put("0.jpg", cut(0))
    retried = finished(call, stack, "retry", first, "--reason", "truncated")

    assert files_of(stack, source.name) == files_of(stack, whole.name)
    report = call("report", retried, "--json").document
    assert report["objects"] == 1
    assert report["to_do"] == {"changed": 1}
    assert call("failures", retried, "--json").document == []
    assert "nothing of" in call("retry", retried).err


def test_dataset_after_a_retry_is_that_of_a_run_that_never_failed(
    engine: Engine, call: Call
) -> None:
    whole, mended = stack_of_its_own(engine), stack_of_its_own(engine)
    options = ("--output", "webdataset", "--size", 64)
    for stack, is_broken in ((whole, False), (mended, True)):
        source = Source(stack, "same")
        for index in range(4):
            source.put(f"{index}.jpg", cut(index)[:400] if is_broken and not index else cut(index))
        run_id = finished(call, stack, "start", source.address, *options)
    assert len(samples_of(mended)) < len(samples_of(whole))

    Source(mended, "same").put("0.jpg", cut(0))
    finished(call, mended, "retry", run_id)

    assert samples_of(mended) == samples_of(whole)


def test_what_is_still_broken_is_tried_again_all_the_same(call: Call, source: Source) -> None:
    source.put("good.jpg", cut(1))
    source.put("torn.jpg", cut(2)[:400])
    first = finished(call, source.stack, "start", source.address)
    again = finished(call, source.stack, "retry", first)
    report = call("report", again, "--json").document
    assert report["to_do"] == {"retry of rejected": 1}
    assert [row["reason"] for row in report["rejected"]] == ["truncated"]
    assert (
        "Nothing to do" in call("report", finished(call, source.stack, "start", source.address)).out
    )


def test_retry_of_a_reason_that_there_is_not_starts_nothing(call: Call, source: Source) -> None:
    source.put("good.jpg", cut(1))
    run_id = finished(call, source.stack, "start", source.address)
    before = set(executions(source.stack))
    ended = call("retry", run_id, "--reason", "corrupt")
    assert (ended.code, set(executions(source.stack))) == (2, before)
    assert f"nothing of {run_id} was rejected or failed for corrupt." in ended.err
