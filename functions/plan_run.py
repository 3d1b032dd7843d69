"""Lambda handler: reads an execution's input and writes the plan of its run."""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagemill_app.handler_meter import HandlerMeter
from imagemill_app.plan.checked_request import checked_run_id
from imagemill_app.plan.draft import DraftedRun
from imagemill_app.plan.plan_run import plan_run
from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_app.telemetry import name_run, traced

logger = Logger(service="plan_run")
metrics = Metrics(service="plan_run")


@cache
def settings() -> PlanRunSettings:
    return PlanRunSettings.from_env(os.environ)


@logger.inject_lambda_context(clear_state=True)
@traced("plan_run")
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the plan of the requested run. Raises RunRefused with one sentence."""
    meter = HandlerMeter(int(context.memory_limit_in_mb))
    name_run(logger, event["run_id"])
    try:
        run_id = checked_run_id(event["run_id"])
        run = plan_run(run_id, event["started"], event["request"], settings())
    except RunRefused as error:
        metrics.add_metric("RefusedRuns", MetricUnit.Count, 1)
        logger.warning("run refused", extra={"why": str(error)})
        raise
    if isinstance(run, DraftedRun):
        logger.info("run drafted", extra=asdict(run))
    else:
        metrics.add_metric("PlannedObjects", MetricUnit.Count, run.objects)
        metrics.add_metric("PlannedBytes", MetricUnit.Bytes, run.bytes)
        logger.info("run planned", extra={"shards": run.shards})
    return {**asdict(run), "planning": meter.used().to_document()}
