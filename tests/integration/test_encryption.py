"""With KmsKeyArn, all that holds pictures or names of pictures is encrypted with that key.

Read from the template: the engine encrypts nothing. What it can show is in test_parameters.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers.rights import as_list, grants
from tests.helpers.stack_template import resources_of, template

NOTHING = {"Ref": "AWS::NoValue"}
KEY = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, NOTHING]}
THROUGH = {"s3", "sqs"}  # the services through which a role may use the key


def key_users() -> set[str]:
    """The roles that may use the key."""
    return {role["Ref"] for role in resources_of("AWS::IAM::Policy")["KeyPolicy"]["Roles"]}


def touched(action: str) -> bool:
    """Whether what an action reads or writes is encrypted with the key."""
    service, _, name = action.partition(":")
    return service == "sqs" or (service == "s3" and name in {"GetObject", "PutObject"})


@pytest.mark.parametrize("name", ["InputBucket", "OutputBucket"])
def test_bucket_is_encrypted_with_the_key_or_else_by_s3(name: str) -> None:
    encryption = resources_of("AWS::S3::Bucket")[name]["BucketEncryption"]
    (rule,) = encryption["ServerSideEncryptionConfiguration"]
    default = rule["ServerSideEncryptionByDefault"]
    assert default["SSEAlgorithm"] == {"Fn::If": ["HasKey", "aws:kms", "AES256"]}
    assert default["KMSMasterKeyID"] == KEY
    assert rule["BucketKeyEnabled"] == {"Fn::If": ["HasKey", True, False]}


@pytest.mark.parametrize("name", resources_of("AWS::SQS::Queue"))
def test_queue_is_encrypted_with_the_key_or_else_by_sqs(name: str) -> None:
    queue = resources_of("AWS::SQS::Queue")[name]
    assert queue["KmsMasterKeyId"] == KEY
    assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKey", NOTHING, True]}


@pytest.mark.parametrize("name", resources_of("AWS::Logs::LogGroup"))
def test_log_group_is_encrypted_with_the_key(name: str) -> None:
    assert resources_of("AWS::Logs::LogGroup")[name]["KmsKeyId"] == KEY


def test_mails_are_encrypted_with_the_key() -> None:
    assert resources_of("AWS::SNS::Topic")["RunTopic"]["KmsMasterKeyId"] == KEY


def test_every_role_that_reads_or_writes_what_is_encrypted_may_use_the_key_and_no_other() -> None:
    assert key_users() == {grant.role for grant in grants() if touched(grant.action)}


def test_the_key_is_used_through_s3_and_sqs_alone_and_for_nothing_but_data() -> None:
    (statement,) = resources_of("AWS::IAM::Policy")["KeyPolicy"]["PolicyDocument"]["Statement"]
    assert set(as_list(statement["Action"])) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert statement["Resource"] == {"Ref": "KmsKeyArn"}
    services = statement["Condition"]["StringEquals"]["kms:ViaService"]
    assert {item["Fn::Sub"].partition(".")[0] for item in services} == THROUGH
    assert all("${AWS::Region}.${AWS::URLSuffix}" in item["Fn::Sub"] for item in services)


def test_nothing_else_of_the_stack_takes_a_key() -> None:
    """A new kind of resource that holds something is decided here."""
    kinds = {item["Type"] for item in template()["Resources"].values()}
    with_key = {
        item["Type"]
        for name, item in template()["Resources"].items()
        if name != "KeyPolicy" and {"Ref": "KmsKeyArn"} in parts_of(item)
    }
    assert with_key == {
        *("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::SNS::Topic")
    }
    assert with_key < kinds


def parts_of(value: Any) -> Iterator[Any]:
    """A value and all that is in it."""
    yield value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from parts_of(item)
