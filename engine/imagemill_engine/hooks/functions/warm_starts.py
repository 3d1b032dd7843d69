"""The processes of functions that will be called start as soon as their functions are created.

AWS starts one in a tenth of a second; here it takes longer, and would hold up the first run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from contextvars import copy_context

from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from imagemill_engine.hooks import patching
from imagemill_engine.shapes import Document

logger = logging.getLogger(__name__)

_FUNCTION = "AWS::Lambda::Function"


def install(logical_ids: Collection[str]) -> None:
    """Start the processes of these functions of a template in the background."""
    handlers = patching.require_table(provisioners, "_RESOURCE_HANDLERS")[_FUNCTION]
    parameters = ["func_name", "config", "code_zip", "qualifier"]
    patching.require_function(lambda_runtime, "get_or_create_worker", parameters)
    patching.require(lambda_svc, "_functions")
    create = handlers["create"]

    def create_function(logical_id: str, properties: Document, stack: str) -> tuple[str, Document]:
        created: tuple[str, Document] = create(logical_id, properties, stack)
        if logical_id in logical_ids:
            in_background(lambda: start_worker(created[0]))
        return created

    handlers["create"] = create_function


def in_background(work: Callable[[], None]) -> None:
    """Run in a thread that sees the account and region of this one."""
    context = copy_context()
    threading.Thread(target=context.run, args=(work,), daemon=True, name="warm-up").start()


def start_worker(name: str) -> None:
    """Start the process of a function. One that cannot start fails when it is invoked."""
    record = lambda_svc._functions[name]
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
