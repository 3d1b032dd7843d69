"""What a run has cost, by what was measured, beside what the plan expected."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from imagemill_app.request_forecast import requests, transitions
from imagemill_app.tally.tally import Tally
from imagemill_contract.keys import stages_in
from imagemill_contract.recipe import Output
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_contract.reporting.prices import Prices, prices_of
from imagemill_contract.reporting.usage import Request, Usage, added

# After it has counted, AggregateRun writes the report, its page, and the list of runs, which it
# reads first, and removes the marker of the run.
LAST_REQUESTS = {"get": 1, "put": 3, "delete": 1}
# The state machine reads the plan and writes a manifest and two files of results.
MACHINE_REQUESTS = {"get": 1, "put": 3}
# Each message is sent by itself; ten are received, and ten deleted, by one request.
SQS_REQUESTS_PER_MESSAGE = 1.2

PRICED = (Request.GET, Request.PUT, Request.LIST)


def bill_of(run: Mapping[str, Any], tally: Tally, own: LambdaUsage) -> dict[str, Any]:
    """The bill of a run. `own` is what AggregateRun has used so far.

    `region` in its prices is whose prices they are, `run_in` is where the run was.
    """
    prices = prices_of()
    jobs = Usage()
    for of_stage in tally.jobs.values():
        jobs = jobs.plus(of_stage.usage)
    functions = _functions(run, tally, own)
    used = _used(run, jobs, functions)
    dollars = {name: round(amount, 6) for name, amount in _dollars(used, prices).items()}
    total = sum(dollars.values())
    done = run["objects"] or 1
    return {
        "prices": {
            "region": prices.region,
            "as_of": prices.as_of,
            "run_in": os.environ.get("AWS_REGION", prices.region),
        },
        "used": used,
        "dollars": dollars,
        "total_dollars": round(total, 6),
        "per_million_dollars": round(total / done * 1e6, 2),
        "estimated_dollars": run["estimate"].get("total_dollars"),
        "packing": _packing(run, prices),
    }


def _functions(run: Mapping[str, Any], tally: Tally, own: LambdaUsage) -> LambdaUsage:
    """What all have used: for uploads, the plan, slices of the run, and AggregateRun to its end."""
    planning = LambdaUsage.from_document(run.get("planning") or {})
    last = LambdaUsage(requests={} if run["output"].startswith("file:") else LAST_REQUESTS)
    gathering = LambdaUsage.from_document(_gathering(run).get("functions") or {})
    return planning.plus(gathering).plus(tally.functions).plus(own).plus(last)


def _used(run: Mapping[str, Any], jobs: Usage, functions: LambdaUsage) -> dict[str, Any]:
    machine = MACHINE_REQUESTS if run["shards"] else {}
    return {
        "vcpu_seconds": round(jobs.vcpu_seconds, 1),
        "cpu_seconds": round(jobs.cpu_seconds, 1),
        "requests": added(jobs.requests, functions.requests, machine),
        "requests_of": {
            "jobs": added(jobs.requests),
            "functions": added(functions.requests),
            "state_machine": added(machine),
        },
        "transitions": transitions(run["shards"], len(stages_in(run["recipe"]))),
        "lambda_gb_seconds": round(functions.gb_seconds, 3),
        "lambda_requests": functions.invocations,
        "sqs_requests": math.ceil(_gathering(run).get("messages", 0) * SQS_REQUESTS_PER_MESSAGE),
    }


def _gathering(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was used before the run, for the uploads that it takes; empty without any."""
    found: Mapping[str, Any] = run.get("gathering") or {}
    return found


def _dollars(used: Mapping[str, Any], prices: Prices) -> dict[str, float]:
    requests_made: Mapping[str, int] = used["requests"]
    return {
        "vcpu": used["vcpu_seconds"] / 3600 * prices.vcpu_hour,
        **{kind: requests_made.get(kind, 0) * prices.of_request(kind) for kind in PRICED},
        "step_functions": used["transitions"] * prices.transition,
        "lambda": used["lambda_gb_seconds"] * prices.lambda_gb_second
        + used["lambda_requests"] * prices.lambda_request,
        "sqs": used["sqs_requests"] * prices.sqs_request,
    }


def _packing(run: Mapping[str, Any], prices: Prices) -> dict[str, Any]:
    """What the requests of this run cost as files and packed, by the plan's own forecast."""
    is_packed = run["recipe"].get("output", Output.FILES) != Output.FILES

    stages, sizes = stages_in(run["recipe"]), len(run["recipe"].get("sizes", ())) or 1
    asked_for = run["objects"], run["bytes"], run["shards"]

    def cost(*, packed: bool) -> float:
        asked = requests(*asked_for, packed=packed, stages=stages, sizes=sizes)
        return sum(count * prices.of_request(kind) for kind, count in asked.items())

    files, packed = cost(packed=False), cost(packed=True)
    return {
        "is_packed": is_packed,
        "files_dollars": round(files, 6),
        "packed_dollars": round(packed, 6),
        "saving_dollars": round(files - packed, 6),
    }
