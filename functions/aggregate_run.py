"""Lambda handler: reads the outcomes of a run, writes its report and returns its verdict."""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagemill_app.aggregate.map_results import job_failures
from imagemill_app.aggregate.run_report import RunVerdict, write_report
from imagemill_app.handler_meter import HandlerMeter
from imagemill_app.settings import AggregateRunSettings
from imagemill_app.telemetry import name_run, traced
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Status

logger = Logger(service="aggregate_run")
metrics = Metrics(service="aggregate_run")


@cache
def settings() -> AggregateRunSettings:
    return AggregateRunSettings.from_env(os.environ)


def put_metrics(verdict: RunVerdict) -> None:
    """What became of the objects; why some were not written; what it cost."""
    for stage, counts in verdict.stages.items():
        for status in Status:
            metrics.add_metric(f"{stage.title()}{status.title()}", MetricUnit.Count, counts[status])
    for reason, count in verdict.reasons.items():
        put_metric("Problems", MetricUnit.Count, count, reason=reason)
    for kind, dollars in verdict.bill["dollars"].items():
        put_metric("Dollars", MetricUnit.NoUnit, dollars, kind=kind)


def put_metric(name: str, unit: MetricUnit, value: float, **dimension: str) -> None:
    with single_metric(name, unit, value, default_dimensions=dimension):
        pass


@logger.inject_lambda_context(clear_state=True)
@traced("aggregate_run")
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the report of a run. `map_results_key` is null if the Map left no results."""
    meter = HandlerMeter(int(context.memory_limit_in_mb))
    name_run(logger, event["run"]["run_id"])
    bucket = Location(f"s3://{settings().output_bucket_name}")
    results_key = event["map_results_key"]
    failures = job_failures(bucket, results_key) if results_key else {}
    tolerated_percent = settings().tolerated_failure_percent
    verdict = write_report(event["run"], failures, tolerated_percent, event["ended"], meter.used)
    put_metrics(verdict)
    logger.info("run aggregated", extra=asdict(verdict))
    return asdict(verdict)
