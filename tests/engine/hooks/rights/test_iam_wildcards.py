"""Wildcards of policies, over every key that a bucket may have."""

from __future__ import annotations

from typing import Any

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine
from imagemill_engine.hooks.rights.iam_wildcards import compiled


def test_a_role_may_write_a_key_with_a_line_break(engine: Engine, stack: Stack, as_role: Any):
    bucket = stack.outputs["OutputBucketName"]
    s3 = as_role(stack.outputs["JobRoleArn"], "s3")
    s3.put_object(Bucket=bucket, Key="jobs/two\nlines", Body=b"x")
    assert (
        engine.client("s3").get_object(Bucket=bucket, Key="jobs/two\nlines")["Body"].read() == b"x"
    )


@pytest.mark.parametrize(
    ("pattern", "value", "ignores_case", "matches"),
    [
        ("a/*", "a/b\nc", False, True),
        ("a/*", "b/c", False, False),
        ("a?c", "a\nc", False, True),
        ("a.c", "abc", False, False),
        ("abc", "abc\n", False, False),
        ("S3:get*", "s3:GetObject", True, True),
        ("S3:get*", "s3:GetObject", False, False),
    ],
)
def test_a_pattern_matches_the_whole_value(
    pattern: str, value: str, ignores_case: bool, matches: bool
):
    assert bool(compiled(pattern, ignores_case).match(value)) is matches
