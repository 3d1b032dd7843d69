"""An execution of the state machine, seen from outside: start, follow, stop, read the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from imagemill.errors import RunFailedError, UsageError

MAX_INPUT_BYTES = 262_144  # of an execution (Step Functions quotas)
LOOK_SECONDS = 0.02
PLAN = "plan"  # what the names of executions begin with that only plan, and do nothing
REFUSED = "RunRefused"  # the state machine's name for a request that cannot be carried out


@dataclass(frozen=True, slots=True)
class Execution:
    """One started run. `states` is a Step Functions client."""

    states: Any
    arn: str
    run_id: str

    def is_running(self) -> bool:
        return bool(self._description()["status"] == "RUNNING")

    def stop(self, cause: str) -> None:
        """Ask for the end of the run and of its jobs."""
        self.states.stop_execution(executionArn=self.arn, error="Stopped", cause=cause)

    def result(self) -> dict[str, Any]:
        """The output of an ended run.

        Raises:
            UsageError: The run was refused before any job; the message is the state machine's.
            RunFailedError: The run did not succeed.
        """
        end = self._description()
        if end["status"] == "SUCCEEDED":
            output: dict[str, Any] = json.loads(end["output"])
            return output
        cause = end.get("cause") or f"The run ended as {end['status']}."
        if end.get("error") == REFUSED:
            raise UsageError(cause)
        raise RunFailedError(f"{end.get('error', end['status'])}: {_sentence_of(cause)}")

    def _description(self) -> Mapping[str, Any]:
        description: Mapping[str, Any] = self.states.describe_execution(executionArn=self.arn)
        return description


def _sentence_of(cause: str) -> str:
    """The message of what a function raised, without its stack; any other cause as it is."""
    try:
        message = str(json.loads(cause)["errorMessage"])
    except (ValueError, LookupError, TypeError):
        return cause
    return message.strip().partition("\n")[0]


def new_run_id(kind: str = "run") -> str:
    """A name that no other run has, and that sorts by time."""
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"


def start_run(
    states: Any,
    state_machine_arn: str,
    document: Mapping[str, object],
    run_id: str | None = None,
) -> Execution:
    """Start the state machine over a run request, under a new name unless one is given.

    Raises UsageError for a request that is too long.
    """
    text = json.dumps(document)
    if len(text) > MAX_INPUT_BYTES:
        raise UsageError(
            f"The request has {len(text):,} bytes, and Step Functions takes {MAX_INPUT_BYTES:,}. "
            "Put the names to exclude into a text file in the bucket and give its s3:// address."
        )
    run_id = run_id or new_run_id()
    started = states.start_execution(stateMachineArn=state_machine_arn, name=run_id, input=text)
    return Execution(states, started["executionArn"], run_id)


def follow(execution: Execution, tick: Callable[[], None]) -> None:
    """Call `tick` until the run has ended, and once more after that."""
    while execution.is_running():
        tick()
    tick()


def wait_for(file: Path, seconds: float) -> None:
    """Return when the file is there, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(min(LOOK_SECONDS, seconds))
