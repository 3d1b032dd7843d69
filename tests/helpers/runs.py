"""Runs on a deployed stack: started, waited for, and what they leave in its buckets."""

from __future__ import annotations

import time
from typing import Any

from imagemill.execution import Execution, start_run
from imagemill.local_stack import LocalStack


def ended(execution: Execution, timeout_seconds: float = 60) -> Execution:
    deadline = time.monotonic() + timeout_seconds
    while execution.is_running():
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.1)
    return execution


def keys_in(stack: LocalStack, bucket: str, prefix: str) -> set[str]:
    pages = (
        stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    )
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def executions(stack: LocalStack) -> dict[str, Execution]:
    states = stack.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=stack.state_machine_arn)["executions"]
    return {item["name"]: Execution(states, item["executionArn"], item["name"]) for item in listed}


def start(stack: LocalStack, document: dict[str, Any]) -> Execution:
    return start_run(stack.client("stepfunctions"), stack.state_machine_arn, document)
