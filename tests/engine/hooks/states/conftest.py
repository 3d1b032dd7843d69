"""Definitions of state machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from imagemill_engine.deploy import Stack


@pytest.fixture
def job_name() -> str:
    """Of a job that the test looks for."""
    return f"probe-{uuid4().hex}"


@pytest.fixture
def job_machine(stack: Stack, job_name: str) -> Callable[..., dict[str, Any]]:
    """A machine whose only state runs a shell script as a job; Catch goes to `Caught`."""

    def define(script: str, *, resource: str = "submitJob.sync", **members: Any) -> dict[str, Any]:
        arguments = {
            "JobName": job_name,
            "JobQueue": stack.outputs["JobQueueArn"],
            "JobDefinition": stack.outputs["JobDefinitionArn"],
            "Parameters": {"script": script},
            **members.pop("Arguments", {}),
        }
        state = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::batch:{resource}",
            "Arguments": arguments,
            "End": True,
            **members,
        }
        states = {"Run": state, "Caught": {"Type": "Pass", "Output": "caught", "End": True}}
        return {"QueryLanguage": "JSONata", "StartAt": "Run", "States": states}

    return define


@pytest.fixture
def echo_machine(stack: Stack) -> Callable[..., dict[str, Any]]:
    """A machine whose only state calls the echo function; Catch goes to `Caught`."""

    def define(payload: dict[str, Any], **members: Any) -> dict[str, Any]:
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": stack.outputs["EchoFunctionArn"], "Payload": payload},
            "Output": "{% $states.result.Payload %}",
            "End": True,
            **members,
        }
        states = {"Call": state, "Caught": {"Type": "Pass", "End": True}}
        return {"QueryLanguage": "JSONata", "StartAt": "Call", "States": states}

    return define


@pytest.fixture
def map_machine() -> Callable[..., dict[str, Any]]:
    """A machine with a distributed Map over a document; its children run `processor`."""

    def define(
        bucket: str, key: str, processor: dict[str, Any] | None = None, **members: Any
    ) -> dict[str, Any]:
        same = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}
        distributed = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
        state = {
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Arguments": {"Bucket": bucket, "Key": key},
            },
            "ItemProcessor": {**distributed, **(processor or same)},
            "End": True,
            **members,
        }
        return {"QueryLanguage": "JSONata", "StartAt": "Each", "States": {"Each": state}}

    return define
