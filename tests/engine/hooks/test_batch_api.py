"""The Batch API in front of the executor."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


@pytest.mark.parametrize("member", ["jobQueue", "jobDefinition"])
def test_what_does_not_exist_is_a_client_exception(jobs: Any, member: str):
    with pytest.raises(ClientError, match=r"ClientException.*nowhere is not found"):
        jobs.submit("true", **{member: "nowhere"})


@pytest.mark.parametrize(
    "member",
    [{"arrayProperties": {"size": 2}}, {"containerOverrides": {"command": ["x"]}}],
    ids=lambda member: next(iter(member)),
)
def test_what_the_engine_cannot_do_is_refused(jobs: Any, member: dict[str, Any]):
    with pytest.raises(ClientError, match=f"does not support {next(iter(member))}"):
        jobs.submit("true", **member)


@pytest.mark.parametrize("name", ["a.b", "-a", "a b", "x" * 129])
def test_a_name_that_aws_refuses_is_refused(jobs: Any, name: str):
    with pytest.raises(ClientError, match="is not valid"):
        jobs.submit("true", jobName=name)


def test_a_definition_and_a_queue_may_be_given_by_name(jobs: Any, stack: Stack):
    definition, queue = stack.outputs["JobDefinitionArn"], stack.outputs["JobQueueArn"]
    name = definition.rsplit("/", 1)[-1].partition(":")[0]
    end = jobs.end(jobs.submit("true", jobDefinition=name, jobQueue=queue.rsplit("/", 1)[-1]))
    assert (end["status"], end["jobDefinition"]) == ("SUCCEEDED", definition)


def test_jobs_are_found_by_the_beginning_of_their_names_in_whatever_state(jobs: Any, stack: Stack):
    ended = jobs.submit("true", jobName="Found-1")
    jobs.end(ended)
    running = jobs.submit("sleep 60", jobName="found-2")
    jobs.submit("true", jobName="lost-1")

    def named(*values: str, name: str = "JOB_NAME") -> set[str]:
        listed = jobs.batch.list_jobs(
            jobQueue=stack.outputs["JobQueueArn"],
            filters=[{"name": name, "values": list(values)}],
        )
        return {job["jobId"] for job in listed["jobSummaryList"]}

    assert named("found-*") == {ended, running}
    assert named("found-1") == {ended}
    assert named("found") == set()
    with pytest.raises(ClientError, match="filters by JOB_NAME only"):
        named("x", name="JOB_DEFINITION")
    with pytest.raises(ClientError, match="Exactly one filter with one value"):
        named("x", "y")
    jobs.batch.terminate_job(jobId=running, reason="found")
    assert jobs.end(running)["statusReason"] == "found"


def test_a_job_runs_with_its_role_its_region_and_this_engine(
    jobs: Any, engine: Engine, stack: Stack
):
    bucket = stack.outputs["OutputBucketName"]
    program = (
        "import boto3, os; s3 = boto3.client('s3');"
        f"s3.put_object(Bucket='{bucket}', Key='jobs/one', Body=os.environ['GREETING'].encode());"
        f"s3.put_object(Bucket='{bucket}', Key='elsewhere', Body=b'')"
    )
    end = jobs.end(jobs.submit(f'python -c "{program}"'))
    assert engine.client("s3").get_object(Bucket=bucket, Key="jobs/one")["Body"].read() == b"hello"
    assert end["container"]["exitCode"] == 1
    lines = log_of(engine, stack, end)
    assert any("AccessDenied" in line for line in lines)


def log_of(engine: Engine, stack: Stack, job: dict[str, Any]) -> list[str]:
    found = engine.client("logs").get_log_events(
        logGroupName=stack.outputs["JobLogGroupName"],
        logStreamName=job["container"]["logStreamName"],
        startFromHead=True,
    )
    return [event["message"] for event in found["events"]]


def test_the_output_is_in_the_log_group_while_the_job_runs(
    jobs: Any, engine: Engine, stack: Stack, until: Any
):
    job_id = jobs.submit("echo $FROM_WORKER_ENV; echo two >&2; exec sleep 600")
    running = jobs.reach(job_id, "RUNNING")
    assert re.fullmatch(r"shell/default/[0-9a-f]{32}", running["container"]["logStreamName"])
    until(lambda: log_of(engine, stack, running) == ["yes", "two"])
    jobs.batch.terminate_job(jobId=job_id, reason="seen enough")
    end = jobs.end(job_id)
    assert (end["status"], end["statusReason"]) == ("FAILED", "seen enough")
    assert end["container"]["exitCode"] == 143


def test_list_jobs_shows_the_running_ones_unless_asked_for_others(jobs: Any, stack: Stack):
    queue = stack.outputs["JobQueueArn"]

    def listed(**options: Any) -> set[str]:
        pages = jobs.batch.get_paginator("list_jobs").paginate(jobQueue=queue, **options)
        return {job["jobId"] for page in pages for job in page["jobSummaryList"]}

    first, second, third = (jobs.submit("exec sleep 600") for _ in range(3))
    for job_id in (first, second):
        jobs.reach(job_id, "RUNNING")
    assert listed() == {first, second}
    assert third in listed(jobStatus="RUNNABLE")
    for job_id in (third, first, second):
        jobs.batch.terminate_job(jobId=job_id, reason="end of test")
        jobs.end(job_id)
    assert {first, second, third} <= listed(jobStatus="FAILED")
    assert listed() == set()
