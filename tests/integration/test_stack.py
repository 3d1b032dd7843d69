"""The deployed stack, used as on AWS: uploads, manual executions, and a worker that is killed."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import pytest

from imagemill.execution import Execution
from imagemill.local_stack import LocalStack
from imagemill_contract import keys
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, executions, keys_in, resource_id, start
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine


def jobs_of(stack: LocalStack) -> Counter[str]:
    batch = stack.client("batch")
    queue = resource_id(stack, "JobQueue")
    names: Counter[str] = Counter()
    for status in ("SUBMITTED", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"):
        listed = batch.list_jobs(jobQueue=queue, jobStatus=status)
        names.update(item["jobName"] for item in listed["jobSummaryList"])
    return names


def test_upload_starts_a_run_by_itself_and_awkward_keys_survive(stack: LocalStack) -> None:
    s3 = stack.client("s3")
    names = ["x y/a+b.jpg", "100%/c%20d.png", "日本/é.webp", "a&b=c.jpg", "dots.a.b.c", "bare"]
    known = set(executions(stack))
    for index, name in enumerate(names):
        s3.put_object(Bucket=stack.input_bucket, Key=f"full/odd/{name}", Body=cut(index))
    s3.put_object(Bucket=stack.input_bucket, Key="elsewhere/no.jpg", Body=cut(0))
    s3.put_object(Bucket=stack.input_bucket, Key="full/odd/notes.txt", Body=b"text")

    until(
        lambda: len(keys_in(stack, stack.output_bucket, "edges/odd/")) == len(names),
        "the uploads are processed",
        pause_seconds=0.2,
    )
    runs = [ended(run) for name, run in executions(stack).items() if name not in known]

    assert all(run.run_id.startswith("upload-") for run in runs)
    assert sum(run.result()["stages"]["edge"]["written"] for run in runs) == len(names)
    assert keys_in(stack, stack.output_bucket, "resized/odd/") == {
        f"resized/odd/{name}" if name.endswith(".jpg") else f"resized/odd/{name}.jpg"
        for name in names
    }
    assert keys_in(stack, stack.output_bucket, "edges/odd/") == {
        f"edges/odd/{name}" if name.endswith(".png") else f"edges/odd/{name}.png" for name in names
    }
    assert not keys_in(stack, stack.output_bucket, "resized/elsewhere")


def test_manual_execution_over_a_prefix_succeeds_and_its_history_is_true(
    stack: LocalStack,
) -> None:
    s3 = stack.client("s3")
    for index in range(5):
        s3.put_object(Bucket=stack.input_bucket, Key=f"manual/{index}.jpg", Body=cut(index))

    run = ended(start(stack, {"source": f"s3://{stack.input_bucket}/manual/"}))

    result = run.result()
    assert result["stages"]["resize"]["written"] == 5
    assert keys_in(stack, stack.output_bucket, f"runs/{run.run_id}/report") == {
        f"runs/{run.run_id}/report.{kind}" for kind in ("html", "json")
    }
    history = stack.client("stepfunctions").get_execution_history(executionArn=run.arn)
    types = [event["type"] for event in history["events"]]
    assert types[0] == "ExecutionStarted"
    assert types[-1] == "ExecutionSucceeded"
    assert "MapRunSucceeded" in types


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"source": "s3://{input}/empty/"}, "there are no pictures at"),
        ({"source": "s3://no-such-bucket-here/"}, "cannot be listed: there is no such bucket"),
        ({"source": "s3://{output}/"}, "must not contain each other"),
        ({"source": "s3://{input}/full/", "recipe": {"size": 0}}, "recipe.size: 0 is not allowed"),
        ({"source": "s3://{input}/full/", "recipe": {"size": "abc"}}, 'recipe.size: "abc" is'),
        ({"source": "s3://{input}/full/", "recipe": {"mode": "crop"}}, 'recipe.mode: "crop" is'),
        ({"source": "s3://{input}/full/", "recipe": {"quality": 101}}, "recipe.quality: 101 is"),
        (
            {"source": "s3://{input}/full/", "recipe": {"model": "s3://{input}/none.onnx"}},
            "recipe.model: there is no s3://",
        ),
        (
            {"source": "s3://{input}/full/", "recipe": {"model": "s3://elsewhere/m.onnx"}},
            "recipe.model: ",
        ),
        ({"source": "s3://{input}/full/", "sise": 1}, 'unknown field "sise"; allowed are source'),
        ({"source": "file:///no/such/folder/"}, "is not a folder"),
        ({"source": "s3://{input}/a/", "output": "s3://{input}/b/"}, "output: "),
        ({"window": "20260101T000000Z-60s"}, "nothing was uploaded in"),
        ({"window": "yesterday"}, 'window: "yesterday" is not the name of a window'),
        ({"source": "s3://{input}/full/", "dry_run": 1}, "dry_run: 1 is not allowed; it must be"),
        ({}, 'The input must have a "source"'),
    ],
)
def test_bad_request_fails_with_its_sentence_before_any_job(
    document: dict[str, Any], sentence: str, stack: LocalStack
) -> None:
    text = json.dumps(document)
    text = text.replace("{input}", stack.input_bucket).replace("{output}", stack.output_bucket)
    before = jobs_of(stack)

    run = ended(start(stack, json.loads(text)))

    end = stack.client("stepfunctions").describe_execution(executionArn=run.arn)
    assert (end["status"], end["error"]) == ("FAILED", "RunRefused")
    assert sentence in end["cause"]
    assert "\n" not in end["cause"]
    assert jobs_of(stack) == before


def worker_pids(run_id: str) -> list[int]:
    """Processes of jobs of a run, found by their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # ended while we looked
            continue
        if "imagemill_worker" in command and any(run_id in part for part in command):
            found.append(int(path.parent.name))
    return found


def test_killed_worker_is_tried_again_and_every_picture_is_there_once(
    stack: LocalStack, tmp_path: Path
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    body = cut(1, scale=8)  # large enough that the job takes a while
    for index in range(150):
        (photos / f"{index:03}.jpg").write_bytes(body)
    run = start(
        stack,
        {
            "source": str(Location.of_folder(PurePosixPath(photos))),
            "output": str(Location.of_folder(PurePosixPath(out))),
        },
    )
    until(lambda: len(list(out.glob("resized/*"))) >= 10, "ten pictures are written", 0.02)
    pids = worker_pids(run.run_id)
    assert pids, "no worker runs"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)

    result = ended(run).result()

    assert result["stages"]["resize"]["written"] == 150
    assert len(list(out.glob("resized/*.jpg"))) == len(list(out.glob("edges/*.png"))) == 150
    jobs = stack.client("batch").describe_jobs(jobs=[job_id_of(stack, run, Stage.RESIZE)])
    codes = [attempt["container"].get("exitCode") for attempt in jobs["jobs"][0]["attempts"]]
    assert codes == [137, 0]


def job_id_of(stack: LocalStack, run: Execution, stage: Stage) -> str:
    """The id of the only job of a stage, from what the Map has left."""
    s3 = stack.client("s3")
    (key,) = [
        key
        for key in keys_in(stack, stack.output_bucket, f"runs/{run.run_id}/map/")
        if "SUCCEEDED" in key
    ]
    (row,) = json.loads(s3.get_object(Bucket=stack.output_bucket, Key=key)["Body"].read())
    job_id: str = json.loads(row["Output"])["jobs"][stage]
    return job_id


def test_shard_that_cannot_be_written_fails_alone_and_is_reported_with_its_cause(
    stack: LocalStack, tmp_path: Path
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    for folder in "abc":
        (photos / folder).mkdir(parents=True)
        for index in range(4):
            (photos / folder / f"{index}.jpg").write_bytes(cut(index))
    run_id = f"in-the-way-{uuid4().hex[:8]}"
    outcomes = out / keys.outcome_key(run_id, Stage.RESIZE, "00001")
    outcomes.mkdir(parents=True)  # a folder where the document of the second job has to be

    request = {
        "source": str(Location.of_folder(PurePosixPath(photos))),
        "output": str(Location.of_folder(PurePosixPath(out))),
        "shards": 3,
    }
    states = stack.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=stack.state_machine_arn, name=run_id, input=json.dumps(request)
    )
    run = ended(Execution(states, started["executionArn"], run_id))

    end = stack.client("stepfunctions").describe_execution(executionArn=run.arn)
    assert (end["status"], end["error"]) == ("FAILED", "TooManyFailures"), end
    # the job's journal has its resized pictures, of which no edges were made
    assert "12 of 12 pictures resized, 8 edge maps" in end["cause"]
    assert "0 failed in resize and 4 in edge: 33.33 %, above the tolerated 0 %" in end["cause"]
    report = json.loads((out / "runs" / run.run_id / "report.json").read_text())
    assert {row["key"] for row in report["failed"]} == {f"b/{index}.jpg" for index in range(4)}
    assert all("resize job failed after" in row["detail"] for row in report["failed"])
    assert all(", log stream " in row["detail"] for row in report["failed"])
    assert report["stages"]["edge"]["written"] == 8
    assert len(list(out.glob("edges/*/*.png"))) == 8
