"""The processes of the functions that a state machine calls start as soon as it is deployed.

AWS starts one in a tenth of a second; here it takes longer, and would hold up the first run.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context

from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document

logger = logging.getLogger(__name__)

_MACHINE = "AWS::StepFunctions::StateMachine"
_FUNCTION_ARN = re.compile(r"arn:aws:lambda:[^:]*:\d*:function:([\w-]+)")


def install() -> None:
    """Start a state machine's functions in the background when it is created."""
    handlers = patching.require_table(provisioners, "_RESOURCE_HANDLERS")[_MACHINE]
    parameters = ["func_name", "config", "code_zip", "qualifier"]
    patching.require_function(lambda_runtime, "get_or_create_worker", parameters)
    patching.require(lambda_svc, "_functions")
    create = handlers["create"]

    def create_machine(logical_id: str, properties: Document, stack: str) -> object:
        created = create(logical_id, properties, stack)
        in_background(lambda: warm_up(functions_in(json.dumps(properties))))
        return created

    handlers["create"] = create_machine


def in_background(work: Callable[[], None]) -> None:
    """Run in a thread that sees the account and region of this one."""
    context = copy_context()
    threading.Thread(target=context.run, args=(work,), daemon=True, name="warm-up").start()


def functions_in(text: str) -> list[str]:
    """The names of the functions whose ARNs are in a text, each once."""
    return list(dict.fromkeys(_FUNCTION_ARN.findall(text)))


def warm_up(functions: Iterable[str]) -> None:
    """Start the processes of functions, one after the other: the first is needed first."""
    for name in functions:
        record = lambda_svc._functions.get(name)
        if record is not None and record.get("code_zip"):
            start_worker(name, record)


def start_worker(name: str, record: Document) -> None:
    """Start the process of a function. One that cannot start fails when it is invoked."""
    worker = lambda_runtime.get_or_create_worker(name, record["config"], record["code_zip"])
    with worker._lock:
        if worker._proc is not None:  # an invocation was quicker
            return
        try:
            worker._spawn()
        except (OSError, RuntimeError):
            logger.warning("The function %s does not start", name, exc_info=True)
            process, worker._proc = worker._proc, None  # the invocation is to start another
            if process is not None:
                process.kill()
                process.wait()
