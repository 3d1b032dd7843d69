"""Who may not list a key does not learn whether there is one."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


@pytest.fixture(scope="module")
def reader(engine: Engine, stack: Stack, as_role: Any) -> Any:
    """S3 for a role that may read all of the output bucket, and list a part of it."""
    iam, name = engine.client("iam"), f"reader-{uuid4().hex[:8]}"
    bucket = f"arn:aws:s3:::{stack.outputs['OutputBucketName']}"
    account = {"AWS": "arn:aws:iam::000000000000:root"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": account, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    listed = {"StringLike": {"s3:prefix": ["listed/*"]}}
    statements = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket, "Condition": listed},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document)
    return as_role(role["Arn"], "s3")


def code_of(call: Any, stack: Stack, key: str) -> str:
    with pytest.raises(ClientError) as raised:
        call(Bucket=stack.outputs["OutputBucketName"], Key=key)
    code: str = raised.value.response["Error"]["Code"]
    return code


def test_a_missing_key_is_denied_to_who_may_not_list_it(reader: Any, stack: Stack):
    assert code_of(reader.get_object, stack, "hidden/a.jpg") == "AccessDenied"
    assert code_of(reader.head_object, stack, "hidden/a.jpg") == "403"


def test_a_condition_on_the_prefix_is_asked_for_the_key(reader: Any, stack: Stack):
    assert code_of(reader.get_object, stack, "listed/a.jpg") == "NoSuchKey"
    assert code_of(reader.head_object, stack, "listed/a.jpg") == "404"


def test_a_key_that_is_there_needs_no_right_to_list(reader: Any, engine: Engine, stack: Stack):
    bucket = stack.outputs["OutputBucketName"]
    engine.client("s3").put_object(Bucket=bucket, Key="hidden/b.jpg", Body=b"there")
    assert reader.get_object(Bucket=bucket, Key="hidden/b.jpg")["Body"].read() == b"there"


def test_who_may_do_everything_learns_that_it_is_missing(engine: Engine, stack: Stack):
    assert code_of(engine.client("s3").get_object, stack, "hidden/c.jpg") == "NoSuchKey"
