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


def test_a_handler_cannot_import_the_tool(engine: Engine, stack: Stack):
    """On Lambda there is no checkout; here it may be installed next to the emulator."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(
            "greedy.py", "import imagemill\n\ndef lambda_handler(event, context): ...\n"
        )
    functions = engine.client("lambda")
    role = functions.get_function_configuration(FunctionName=stack.outputs["EchoFunctionArn"])
    functions.create_function(
        FunctionName="greedy",
        Runtime="python3.13",
        Role=role["Role"],
        Handler="greedy.lambda_handler",
        Code={"ZipFile": archive.getvalue()},
    )
    _, answer = invoked(engine, "greedy", {})
    assert "No module named 'imagemill'" in answer["errorMessage"]
