"""The process of a handler: what it may import, and what it reports.

The class of an exception becomes the errorType, so that Catch and Retry find it by name.
"""

import threading
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from imagemill_engine.errors import HookError
from imagemill_engine.hooks import seam

# The line of the emulator's bootstrap that reports an exception of the handler.
REPORTED = '"trace": traceback.format_exc()}'
REPORTED_WITH_CLASS = '"trace": traceback.format_exc(), "errorType": type(e).__name__}'
# A checkout that is installed for editing would stand in for a layer that is missing.
WITHOUT_CHECKOUT = """
import sys
sys.meta_path[:] = [
    finder for finder in sys.meta_path
    if not getattr(finder, "__module__", "").startswith("__editable__")
]
"""
MISSING_MODULE = "Worker init failed: No module named"
PROCESS_DIED = "Worker process died"

_invocation = threading.local()


def install() -> None:
    script = seam.require(lambda_runtime, "_PYTHON_WORKER_SCRIPT")
    if script.count(REPORTED) != 1:
        raise HookError(
            "ministack.core.lambda_runtime._PYTHON_WORKER_SCRIPT does not report an exception as "
            f"it did in ministack {seam.PINNED_VERSION}."
        )
    reporting = script.replace(REPORTED, REPORTED_WITH_CLASS)
    lambda_runtime._PYTHON_WORKER_SCRIPT = WITHOUT_CHECKOUT + reporting
    seam.wrap(
        lambda_runtime.Worker,
        "invoke",
        [
            "self",
            "event",
            "request_id",
            "trace_id",
            "depth",
            "durable",
            "invoked_function_arn",
        ],
        remembering_the_answer,
    )
    seam.wrap(
        lambda_svc, "_execute_function_warm", ["func", "event", "request_id"], with_error_class
    )


def remembering_the_answer(
    original: Callable[..., Any], worker: Any, *args: Any, **kwargs: Any
) -> Any:
    answer = original(worker, *args, **kwargs)
    _invocation.answer = answer
    return answer


def with_error_class(
    original: Callable[..., Any], function: Any, event: Any, request_id: str
) -> Any:
    _invocation.answer = {}
    result = original(function, event, request_id)
    body = result.get("body")
    if not result.get("error") or not isinstance(body, dict):
        return result
    answer = _invocation.answer
    message = str(body.get("errorMessage", ""))
    if "errorType" in answer:
        body["errorType"] = answer["errorType"]
        body["requestId"] = request_id
        body["stackTrace"] = str(answer.get("trace", "")).splitlines()[1:-1]
    elif message.startswith(MISSING_MODULE):
        body["errorType"] = "Runtime.ImportModuleError"
    elif message == PROCESS_DIED:
        body["errorType"] = "Runtime.ExitError"
    return result
