"""The runs of a stack: executions of its state machine, and what they have left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from imagemill.deployed.clients import plainly
from imagemill.deployed.stack import DeployedStack
from imagemill.errors import UsageError
from imagemill.execution import PLAN, REFUSED, Execution

PAGE_SIZE, FEW = 1000, 20


class RunState(StrEnum):
    """What a person calls the state of a run."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"  # the request could not be carried out
    STOPPED = "stopped"
    OPEN = "open"  # of a folder: going on, or stopped


_STATES = {
    "RUNNING": RunState.RUNNING,
    "PENDING_REDRIVE": RunState.RUNNING,
    "SUCCEEDED": RunState.SUCCEEDED,
    "ABORTED": RunState.STOPPED,
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        execution_arn: Empty for a run into a folder.
        cause: Why it failed, if it is known.
        request: The input of its execution, if it is known.
    """

    run_id: str
    state: RunState
    started: datetime | None = None
    ended: datetime | None = None
    execution_arn: str = ""
    cause: str = ""
    request: Mapping[str, Any] | None = None

    def seconds(self, now: datetime) -> float | None:
        """How long it has taken, so far if it is still running."""
        return ((self.ended or now) - self.started).total_seconds() if self.started else None

    @property
    def is_running(self) -> bool:
        return self.state is RunState.RUNNING

    @property
    def waits_until(self) -> datetime | None:
        """When a run of uploads begins, because its window is over then."""
        closes = (self.request or {}).get("closes")
        return datetime.fromisoformat(closes) if closes else None


def latest_runs(stack: DeployedStack, most: int | None = None) -> Iterator[Run]:
    """Runs of a stack, the latest first; plans are none. Step Functions forgets after 90 days."""
    found = 0
    with plainly():
        pages = (
            stack.client("stepfunctions")
            .get_paginator("list_executions")
            .paginate(
                stateMachineArn=stack.state_machine_arn,
                PaginationConfig={"PageSize": min((most or PAGE_SIZE) + FEW, PAGE_SIZE)},
            )
        )
        for page in pages:
            for item in page["executions"]:
                if item.get("mapRunArn") or item["name"].startswith(f"{PLAN}-"):  # a shard, a plan
                    continue
                yield _run_of(item)
                found += 1
                if found == most:
                    return


def run_named(stack: DeployedStack, run_id: str | None) -> Run:
    """A run with all that is known of it; None means the latest. Raises UsageError."""
    if run_id is None:
        latest = next(iter(latest_runs(stack, 1)), None)
        if latest is None:
            raise UsageError(
                f"There is no run yet. Start one: imagemill start s3://{stack.input_bucket}/full/"
            )
        return described(stack, latest)
    arn = stack.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{run_id}"
    try:
        return described(stack, Run(run_id, RunState.RUNNING, execution_arn=arn))
    except LookupError:
        raise UsageError(
            f'RUN: there is no run "{run_id}" of the stack "{stack.name}". `imagemill runs` lists '
            "those there are."
        ) from None


def described(stack: DeployedStack, run: Run) -> Run:
    """The run with its request and the cause of its end. Raises LookupError if it is unknown."""
    with plainly():
        try:
            found = stack.client("stepfunctions").describe_execution(executionArn=run.execution_arn)
        except ClientError as error:
            if error.response["Error"].get("Code") in ("ExecutionDoesNotExist", "InvalidArn"):
                raise LookupError(run.run_id) from None
            raise
    state = RunState.REFUSED if found.get("error") == REFUSED else _run_of(found).state
    return replace(
        _run_of(found),
        state=state,
        cause=found.get("cause", ""),
        request=json.loads(found.get("input") or "{}"),
    )


def execution_of(stack: DeployedStack, run: Run) -> Execution:
    return Execution(stack.client("stepfunctions"), run.execution_arn, run.run_id)


def _run_of(item: Mapping[str, Any]) -> Run:
    return Run(
        run_id=item["name"],
        state=_STATES.get(item["status"], RunState.FAILED),
        started=_in_utc(item["startDate"]),
        ended=_in_utc(item.get("stopDate")),
        execution_arn=item["executionArn"],
    )


def _in_utc(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC) if time else None
