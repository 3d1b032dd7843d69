"""Lambda handler: writes the plan of a run whose slices are planned."""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagemill_app.handler_meter import HandlerMeter
from imagemill_app.plan.commit_plan import commit_plan
from imagemill_app.plan.totals import sum_of
from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_app.telemetry import name_run, traced
from imagemill_contract.locations import Location

logger = Logger(service="commit_plan")
metrics = Metrics(service="commit_plan")


@cache
def settings() -> PlanRunSettings:
    return PlanRunSettings.from_env(os.environ)


@logger.inject_lambda_context(clear_state=True)
@traced("commit_plan")
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the plan of a drafted run. Raises RunRefused with one sentence."""
    meter = HandlerMeter(int(context.memory_limit_in_mb))
    drafted = event["run"]
    name_run(logger, drafted["run_id"])
    output = Location.parse(drafted["output"], "run.output")
    try:
        run = commit_plan(drafted["run_id"], output, settings())
    except RunRefused as error:
        metrics.add_metric("RefusedRuns", MetricUnit.Count, 1)
        logger.warning("run refused", extra={"why": str(error)})
        raise
    metrics.add_metric("PlannedObjects", MetricUnit.Count, run.objects)
    metrics.add_metric("PlannedBytes", MetricUnit.Bytes, run.bytes)
    logger.info("run planned", extra={"shards": run.shards})
    used = (drafted["planning"], run.planning, meter.used().to_document())
    return {**asdict(run), "planning": sum_of(*used)}
