"""Lambda handler: puts a batch of uploads into the inbox and starts the run that takes them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagemill_app.handler_meter import HandlerMeter
from imagemill_app.ingest.inbox import Inbox
from imagemill_app.ingest.spent import Spent
from imagemill_app.ingest.uploads import UnreadableMessageError, Upload, group_of, uploads_in
from imagemill_app.ingest.window_run import start_window_run
from imagemill_app.settings import GroupObjectsSettings
from imagemill_app.telemetry import name_run, traced
from imagemill_contract.locations import Location
from imagemill_contract.requests.windows import Window

logger = Logger(service="group_objects")
metrics = Metrics(service="group_objects")


@cache
def settings() -> GroupObjectsSettings:
    return GroupObjectsSettings.from_env(os.environ)


@cache
def step_functions() -> Any:
    return boto3.client("stepfunctions")


@cache
def inbox() -> Inbox:
    bucket = Location(f"s3://{settings().output_bucket_name}")
    return Inbox(bucket, settings().upload_window_seconds, settings().window_grace_seconds)


def start_run(window: Window) -> bool:
    arn, closes = settings().state_machine_arn, inbox().closing_time(window)
    return start_window_run(step_functions(), arn, window, closes)


@logger.inject_lambda_context(clear_state=True)
@traced("group_objects")
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Gather the pictures of this batch for a window's run; an unreadable message fails alone.

    If the group cannot be written or the run cannot be started, this raises, and all messages stay
    in the queue.
    """
    meter = HandlerMeter(int(context.memory_limit_in_mb))
    uploads: list[Upload] = []
    unreadable: list[str] = []
    for message in event["Records"]:
        try:
            uploads += uploads_in(message["body"])
        except UnreadableMessageError as error:
            unreadable.append(message["messageId"])
            logger.warning(
                "message is unreadable", extra={"message_id": unreadable[-1], "why": str(error)}
            )
    source = Location.parse(
        f"s3://{settings().input_bucket_name}/{settings().source_prefix}", "SOURCE_PREFIX"
    )
    group = group_of(uploads, source)
    metrics.add_metric("Uploads", MetricUnit.Count, len(uploads))
    metrics.add_metric("UploadedBytes", MetricUnit.Bytes, sum(item.bytes for item in uploads))
    metrics.add_metric("UnreadableMessages", MetricUnit.Count, len(unreadable))
    if group is not None:
        window = inbox().put(
            group,
            lambda: datetime.now(UTC),
            start_run,
            lambda: Spent(len(event["Records"]), meter.used()),
        )
        name_run(logger, window.run_id)
        logger.info("group put", extra={"objects": group.objects, "prefixes": group.prefixes})
    return {"batchItemFailures": [{"itemIdentifier": name} for name in unreadable]}
