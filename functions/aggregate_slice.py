"""Lambda handler: reads the outcomes of one slice of a run and writes its tally."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagemill_app.aggregate.map_results import job_failures
from imagemill_app.aggregate.slice_tally import aggregate_slice
from imagemill_app.handler_meter import HandlerMeter
from imagemill_app.settings import AggregateSliceSettings
from imagemill_app.telemetry import name_run, traced
from imagemill_contract.locations import Location

logger = Logger(service="aggregate_slice")
metrics = Metrics(service="aggregate_slice")


@cache
def settings() -> AggregateSliceSettings:
    return AggregateSliceSettings.from_env(os.environ)


@logger.inject_lambda_context(clear_state=True)
@traced("aggregate_slice")
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> int:
    """Aggregate a slice and return its number. `map_results_key` is null without results."""
    meter = HandlerMeter(int(context.memory_limit_in_mb))
    name_run(logger, event["run"]["run_id"])
    bucket = Location(f"s3://{settings().output_bucket_name}")
    results_key, number = event["map_results_key"], int(event["slice"])
    failures = job_failures(bucket, results_key) if results_key else {}
    aggregate_slice(event["run"], number, failures, meter.used)
    logger.info("slice aggregated", extra={"slice": number})
    return number
