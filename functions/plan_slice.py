"""Lambda handler: plans one slice of a run that has many."""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagemill_app.handler_meter import HandlerMeter
from imagemill_app.plan.plan_slice import SliceStep, plan_slice
from imagemill_app.settings import PlanRunSettings
from imagemill_app.telemetry import name_run, traced
from imagemill_contract.locations import Location

logger = Logger(service="plan_slice")
metrics = Metrics(service="plan_slice")


@cache
def settings() -> PlanRunSettings:
    return PlanRunSettings.from_env(os.environ)


@logger.inject_lambda_context(clear_state=True)
@traced("plan_slice")
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Plan a slice of a drafted run and return the step after it."""
    meter = HandlerMeter(int(context.memory_limit_in_mb))
    name_run(logger, event["run"]["run_id"])
    run, step = event["run"], SliceStep.from_document(event["step"])
    output = Location.parse(run["output"], "run.output")
    following = asdict(plan_slice(run["run_id"], output, step, settings(), meter.used))
    logger.info("slice planned", extra={"following": following})
    return following
