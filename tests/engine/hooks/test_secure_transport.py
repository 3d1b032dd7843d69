"""Buckets that deny requests without TLS."""

from __future__ import annotations

from typing import Any

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


def test_a_bucket_that_demands_tls_takes_plain_http_of_this_machine(
    engine: Engine, stack: Stack, as_role: Any
):
    bucket = stack.outputs["OutputBucketName"]
    policy = engine.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    assert "aws:SecureTransport" in policy
    s3 = as_role(stack.outputs["JobRoleArn"], "s3")
    s3.put_object(Bucket=bucket, Key="jobs/plain-http", Body=b"x")
