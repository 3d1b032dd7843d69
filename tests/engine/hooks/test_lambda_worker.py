"""What a handler may import, and what a failed invocation says."""

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
    assert answer["requestId"]


def test_a_handler_that_ends_its_process_has_failed(engine: Engine, stack: Stack):
    error, answer = invoked(engine, stack.outputs["EchoFunctionArn"], {"failure": "exit"})
    assert error is not None
    assert answer["errorType"] == "Runtime.ExitError"
    assert invoked(engine, stack.outputs["EchoFunctionArn"], {})[0] is None  # the next one is well


def test_a_missing_module_has_the_name_that_lambda_gives_it(engine: Engine, stack: Stack):
    functions = engine.client("lambda")
    name = stack.outputs["EchoFunctionArn"]
    layers = functions.get_function_configuration(FunctionName=name)["Layers"]
    functions.update_function_configuration(FunctionName=name, Layers=[])
    try:
        _, answer = invoked(engine, name, {})
        assert answer["errorType"] == "Runtime.ImportModuleError"
        assert "shared" in answer["errorMessage"]
    finally:
        arns = [layer["Arn"] for layer in layers]
        functions.update_function_configuration(FunctionName=name, Layers=arns)


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
    assert answer["errorType"] == "Runtime.ImportModuleError"
