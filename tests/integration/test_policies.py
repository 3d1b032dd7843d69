"""The policies of the deployed roles against what AWS knows of each action (cfn-lint's data)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from imagemill.local_stack import LocalStack
from tests.helpers.rights import as_list
from tests.helpers.runs import resource_id
from tests.helpers.stack_template import resources_of

pytestmark = pytest.mark.engine

DATA = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"
Right = tuple[str, str, str]  # role, action, ARN


@cache
def known() -> dict[str, Any]:
    """By service, its actions and the formats of the ARNs that they are about."""
    found: dict[str, Any] = json.loads(DATA.read_text())
    return found


@pytest.fixture(scope="module")
def rights(stack: LocalStack) -> list[Right]:
    return [right for role in roles_with_policies() for right in rights_of(stack, role)]


def roles_with_policies() -> list[str]:
    return [name for name, role in resources_of("AWS::IAM::Role").items() if role.get("Policies")]


def rights_of(stack: LocalStack, role: str) -> Iterator[Right]:
    iam, name = stack.client("iam"), resource_id(stack, role)
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            for action in as_list(statement["Action"]):
                yield from ((role, action, arn) for arn in as_list(statement["Resource"]))


def problem(action: str, arn: str) -> str:
    """What is wrong with a right, or nothing."""
    service, _, name = action.partition(":")
    described = known()[service]["Actions"].get(name.lower())
    if described is None:
        return "there is no such action"
    kinds = described.get("Resources", [])
    if not kinds:
        return "" if arn == "*" else "it takes no resource"
    if arn == "*":
        return "it takes a resource"
    if service == "s3" and ("object" in kinds) is not ("/" in arn):
        return "a bucket for an object, or the other way round"
    formats = [one for kind in kinds for one in known()[service]["Resources"][kind]["ARNFormats"]]
    return "" if any(pattern_of(one).fullmatch(arn) for one in formats) else "another kind of ARN"


def pattern_of(arn_format: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\$\{\w+\}", "[^:]*", arn_format))


def test_every_action_exists_and_is_about_its_resource(rights: list[Right]) -> None:
    assert len(rights) > 100
    wrong = [(*right, why) for right in rights if (why := problem(*right[1:]))]
    assert wrong == []


@pytest.mark.parametrize(
    ("action", "arn", "why"),
    [
        ("batch:SubmitJobs", "*", "there is no such action"),
        ("s3:GetObject", "arn:aws:s3:::bucket", "a bucket for an object, or the other way round"),
        ("s3:ListBucket", "arn:aws:s3:::bucket/a/*", "a bucket for an object, or the other way"),
        ("sqs:SendMessage", "*", "it takes a resource"),
        ("batch:DescribeJobs", "arn:aws:batch:r:1:job/*", "it takes no resource"),
        ("lambda:InvokeFunction", "arn:aws:sqs:r:1:queue", "another kind of ARN"),
    ],
)
def test_what_is_wrong_with_a_right_is_found(action: str, arn: str, why: str) -> None:
    assert problem(action, arn).startswith(why)


def test_no_right_is_given_twice(rights: list[Right]) -> None:
    assert sorted(rights) == sorted(set(rights))


def test_no_action_has_a_wildcard(rights: list[Right]) -> None:
    assert [right for right in rights if "*" in right[1]] == []
