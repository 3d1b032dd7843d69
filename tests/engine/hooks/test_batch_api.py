"""The Batch API in front of the executor."""

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


def register(batch: Any, name: str, **members: Any) -> str:
    container = {"image": "none", "command": ["true"]}
    arn: str = batch.register_job_definition(
        jobDefinitionName=name, type="container", containerProperties=container, **members
    )["jobDefinitionArn"]
    return arn


def test_a_job_definition_keeps_all_its_properties(engine: Engine, stack: Stack):
    batch = engine.client("batch")
    found = batch.describe_job_definitions(jobDefinitions=[stack.outputs["JobDefinitionArn"]])
    [definition] = found["jobDefinitions"]
    assert definition["parameters"] == {"script": "true"}
    assert definition["timeout"] == {"attemptDurationSeconds": 60}
    assert definition["retryStrategy"]["evaluateOnExit"][1] == {"onReason": "*", "action": "EXIT"}


def test_a_deregistered_revision_takes_no_job_and_the_one_before_it_is_the_newest(
    engine: Engine, stack: Stack
):
    batch = engine.client("batch")
    first, second = register(batch, "twice"), register(batch, "twice")
    batch.deregister_job_definition(jobDefinition=second)
    active = batch.describe_job_definitions(jobDefinitionName="twice", status="ACTIVE")
    assert [one["jobDefinitionArn"] for one in active["jobDefinitions"]] == [first]
    inactive = batch.describe_job_definitions(jobDefinitionName="twice", status="INACTIVE")
    assert [one["revision"] for one in inactive["jobDefinitions"]] == [2]
    queue = stack.outputs["JobQueueArn"]
    with pytest.raises(ClientError, match=r"ClientException.*not ACTIVE"):
        batch.submit_job(jobName="one", jobQueue=queue, jobDefinition=second)
    by_name = batch.submit_job(jobName="one", jobQueue=queue, jobDefinition="twice")
    described = batch.describe_jobs(jobs=[by_name["jobId"]])["jobs"][0]
    assert described["jobDefinition"] == first


@pytest.mark.parametrize("member", ["jobQueue", "jobDefinition"])
def test_what_does_not_exist_is_a_client_exception(jobs: Any, member: str):
    with pytest.raises(ClientError, match=r"ClientException.*nowhere"):
        jobs.submit("true", **{member: "nowhere"})


def test_array_jobs_are_refused_rather_than_run_once(jobs: Any):
    with pytest.raises(ClientError, match="does not support arrayProperties"):
        jobs.submit("true", arrayProperties={"size": 2})


@pytest.mark.parametrize("name", ["a.b", "-a", "a b", "x" * 129])
def test_a_name_that_aws_refuses_is_refused(jobs: Any, name: str):
    with pytest.raises(ClientError, match="is not valid"):
        jobs.submit("true", jobName=name)


def test_a_request_that_is_too_large_for_aws_is_refused(jobs: Any):
    with pytest.raises(ClientError, match="larger than 30720 bytes"):
        jobs.submit("x" * 31_000)


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
    job_id = jobs.submit("echo $FROM_WORKER_ENV; echo two >&2; exec sleep 30")
    running = jobs.reach(job_id, "RUNNING")
    assert re.fullmatch(r"shell/default/[0-9a-f]{32}", running["container"]["logStreamName"])
    lines = until(lambda: log_of(engine, stack, running), 2)
    assert lines == ["yes", "two"]
    jobs.batch.terminate_job(jobId=job_id, reason="seen enough")
    end = jobs.end(job_id)
    assert (end["status"], end["statusReason"]) == ("FAILED", "seen enough")
    assert end["container"]["exitCode"] == 143


def test_list_jobs_shows_the_running_ones_unless_asked_for_others(jobs: Any, stack: Stack):
    queue = stack.outputs["JobQueueArn"]

    def listed(**options: Any) -> set[str]:
        pages = jobs.batch.get_paginator("list_jobs").paginate(jobQueue=queue, **options)
        return {job["jobId"] for page in pages for job in page["jobSummaryList"]}

    first, second, third = (jobs.submit("exec sleep 30") for _ in range(3))
    for job_id in (first, second):
        jobs.reach(job_id, "RUNNING")
    assert listed() == {first, second}
    assert third in listed(jobStatus="RUNNABLE")
    for job_id in (third, first, second):
        jobs.batch.terminate_job(jobId=job_id, reason="end of test")
        jobs.end(job_id)
    assert {first, second, third} <= listed(jobStatus="FAILED")
    assert listed() == set()


def test_cancel_ends_a_waiting_job_alone(jobs: Any):
    running = [jobs.submit("exec sleep 30") for _ in range(2)]
    waiting = jobs.submit("true")
    jobs.batch.cancel_job(jobId=waiting, reason="changed my mind")
    assert jobs.end(waiting)["statusReason"] == "changed my mind"
    for job_id in running:
        jobs.reach(job_id, "RUNNING")
        jobs.batch.cancel_job(jobId=job_id, reason="too late")
        assert jobs.describe(job_id)["status"] == "RUNNING"
        jobs.batch.terminate_job(jobId=job_id, reason="end of test")
        jobs.end(job_id)
