"""What a handler may import, and what a failed invocation says."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine


def invoked(engine: Engine, function: str, event: dict[str, Any]) -> tuple[str | None, Any]:
    answer = engine.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_a_handler_finds_its_layer_and_its_environment(engine: Engine, stack: Stack):
    error, answer = invoked(engine, stack.outputs["EchoFunctionArn"], {"a": 1})
    assert error is None
    assert answer == {"event": {"a": 1}, "greeting": "hello"}


@pytest.mark.parametrize(
    ("failure", "message"),
    [("ShardLostError", "line one\nline two: it is gone"), ("ValueError", "no such value")],
)
def test_the_class_of_an_exception_is_its_error_type(
    engine: Engine, stack: Stack, failure: str, message: str
):
    error, answer = invoked(engine, stack.outputs["EchoFunctionArn"], {"failure": failure})
    assert error is not None
    assert (answer["errorType"], answer["errorMessage"]) == (failure, message)


def created(engine: Engine, stack: Stack, name: str, code: str) -> str:
    """A function of one module, with the role of another one; returns its name."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(f"{name}.py", code)
    functions = engine.client("lambda")
    role = functions.get_function_configuration(FunctionName=stack.outputs["EchoFunctionArn"])
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Role"],
        Handler=f"{name}.lambda_handler",
        Code={"ZipFile": archive.getvalue()},
    )
    return name


def test_a_handler_cannot_import_the_tool(engine: Engine, stack: Stack):
    """On Lambda there is no checkout; here it may be installed next to the emulator."""
    code = "import imagemill\n\ndef lambda_handler(event, context): ...\n"
    _, answer = invoked(engine, created(engine, stack, "greedy", code), {})
    assert "No module named 'imagemill'" in answer["errorMessage"]


def test_botocore_is_changed_when_a_handler_imports_it_and_not_before(engine: Engine, stack: Stack):
    code = """
import sys
before = "botocore" in sys.modules
import boto3
from botocore.handlers import BUILTIN_HANDLERS as handlers

def lambda_handler(event, context):
    return [before, handlers[-1][0], handlers[-1][1].__name__]
"""
    _, answer = invoked(engine, created(engine, stack, "late", code), {})
    assert answer == [False, "before-call", "_ms_add_invoke_depth"]
