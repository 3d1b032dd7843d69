"""Lambda reads a queue, and writes a function's log, with the rights of the function's role."""

from __future__ import annotations

from ministack.services import lambda_svc

from imagemill_engine.hooks import patching
from imagemill_engine.hooks.rights.policies import (
    is_allowed,
    log_rights,
    missing,
    require_evaluator,
)
from imagemill_engine.shapes import Document, Function

QUEUE_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def install() -> None:
    """Ask before a queue is polled, and before lines are written."""
    require_evaluator()
    patching.wrap(
        lambda_svc,
        "_sqs_esm_concurrency",
        ["esm", "func_rec", "config", "queue"],
        invocations_at_a_time,
    )
    patching.wrap(
        lambda_svc,
        "_emit_lambda_logs",
        ["func", "request_id", "log_text", "error", "duration_ms", "log_source"],
        write_log,
    )


def invocations_at_a_time(
    original: Function, mapping: Document, function: Document, config: object, queue: object
) -> int:
    """None, when the role may not read the queue: its messages stay where they are."""
    role_arn, queue_arn = role_of(function), mapping["EventSourceArn"]
    if not all(is_allowed(role_arn, action, queue_arn) for action in QUEUE_ACTIONS):
        return 0
    count: int = original(mapping, function, config, queue)
    return count


def write_log(
    original: Function, function: Document, request_id: str, *rest: object, **options: object
) -> None:
    """Write what a function has printed, unless its role may not; the function does not notice."""
    group = log_group_of(function)
    if not missing(role_of(function), log_rights(group, request_id)):
        original(function, request_id, *rest, **options)


def role_of(function: Document) -> str:
    """The ARN of a function's role."""
    return str((function.get("config") or function)["Role"])


def log_group_of(function: Document) -> str:
    """The name of the log group of a function."""
    config: Document = function.get("config") or function
    chosen = (config.get("LoggingConfig") or {}).get("LogGroup")
    return str(chosen or f"/aws/lambda/{config['FunctionName']}")
