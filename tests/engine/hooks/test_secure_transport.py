"""Who may do what on the engine."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine
from imagemill_engine.session import client_of


def as_role(engine: Engine, role_arn: str, service: str) -> Any:
    answer = engine.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="probe")
    credentials = answer["Credentials"]
    return client_of(
        service,
        engine.endpoint_url,
        key_id=credentials["AccessKeyId"],
        secret=credentials["SecretAccessKey"],
        token=credentials["SessionToken"],
    )


def test_a_bucket_that_demands_tls_takes_plain_http_of_this_machine(engine: Engine, stack: Stack):
    bucket = stack.outputs["OutputBucketName"]
    policy = engine.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    assert "aws:SecureTransport" in policy
    s3 = as_role(engine, stack.outputs["JobRoleArn"], "s3")
    s3.put_object(Bucket=bucket, Key="jobs/plain-http", Body=b"x")


def test_a_role_may_do_no_more_than_its_policies_say(engine: Engine, stack: Stack):
    bucket = stack.outputs["OutputBucketName"]
    s3 = as_role(engine, stack.outputs["JobRoleArn"], "s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key="jobs/plain-http")


def test_a_submission_is_checked_on_the_queue(engine: Engine, stack: Stack):
    batch = as_role(engine, stack.outputs["MachineRoleArn"], "batch")
    definition = stack.outputs["JobDefinitionArn"]
    queue = stack.outputs["JobQueueArn"]
    batch.submit_job(jobName="one", jobQueue=queue, jobDefinition=definition)
    by_name = queue.rsplit("/", 1)[-1]
    batch.submit_job(jobName="one", jobQueue=by_name, jobDefinition=definition)
    with pytest.raises(ClientError, match="AccessDenied"):
        batch.submit_job(jobName="one", jobQueue="another", jobDefinition=definition)


def test_terminating_takes_a_right_of_its_own(engine: Engine, stack: Stack):
    batch = as_role(engine, stack.outputs["MachineRoleArn"], "batch")
    with pytest.raises(ClientError, match="AccessDenied"):
        batch.terminate_job(jobId="x", reason="y")
