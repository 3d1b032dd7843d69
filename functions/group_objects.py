"""Queue messages in, one run out: groups new objects and starts the state machine over them."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagemill_app.executions import start_upload_run
from imagemill_app.settings import GroupObjectsSettings
from imagemill_app.stores import write_bytes
from imagemill_app.uploads import UnreadableMessageError, Upload, group_of, uploads_in
from imagemill_contract.locations import Location

logger = Logger(service="group_objects")
tracer = Tracer(service="group_objects")
metrics = Metrics(namespace="imagemill", service="group_objects")


@cache
def settings() -> GroupObjectsSettings:
    return GroupObjectsSettings.from_env(os.environ)


@cache
def step_functions() -> Any:
    return boto3.client("stepfunctions")


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start one run over the pictures of this batch; messages that are no S3 event fail alone.

    When the group cannot be written or the run cannot be started, everything is raised: the
    messages stay in the queue.
    """
    uploads: list[Upload] = []
    unreadable: list[str] = []
    for message in event["Records"]:
        try:
            uploads += uploads_in(message["body"])
        except UnreadableMessageError as error:
            logger.warning("message is unreadable", extra={"why": str(error)})
            unreadable.append(message["messageId"])
    source = Location.parse(
        f"s3://{settings().input_bucket_name}/{settings().source_prefix}", "SOURCE_PREFIX"
    )
    group = group_of(uploads, source)
    metrics.add_metric("Uploads", MetricUnit.Count, len(uploads))
    if group is not None:
        write_bytes(Location(f"s3://{settings().output_bucket_name}"), group.key, group.body)
        run_id = start_upload_run(step_functions(), settings().state_machine_arn, group.key)
        logger.info(
            "run started",
            extra={"run_id": run_id, "objects": group.objects, "prefixes": group.prefixes},
        )
    return {"batchItemFailures": [{"itemIdentifier": name} for name in unreadable]}
