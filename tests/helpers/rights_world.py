"""A stack that ways through the pipeline are tried on, and what they ask of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from imagemill.execution import Execution
from imagemill.local_stack import LocalStack
from tests.helpers.photographs import cut
from tests.helpers.runs import keys_in, resource_id, start

WAIT_SECONDS = 20.0  # many times what a step takes
LOG_SECONDS = 5.0  # lines are there before the run has ended
FAILURES = ("TaskFailed", "MapRunFailed", "ExecutionFailed", "LambdaFunctionFailed")


class Broken(Exception):
    """The pipeline does not do what it should; the message says what."""


class TooLate(Broken):
    """Something has not happened in time."""


class Untried(Broken):
    """The way did not come to where it shows anything: something else was quicker."""


@dataclass
class World:
    """A stack whose runs of more than eight pictures are cut into slices."""

    stack: LocalStack
    numbers: Any = field(default_factory=itertools.count)

    def upload(self, prefix: str, count: int) -> None:
        """Put pictures into two folders; no two uploads give results of the same name."""
        for index in range(count):
            body = cut(next(self.numbers))
            self.stack.client("s3").put_object(
                Bucket=self.stack.input_bucket, Key=key_of(prefix, index), Body=body
            )

    def remove(self, prefix: str) -> None:
        """Delete the first picture of an upload."""
        bucket = self.stack.input_bucket
        self.stack.client("s3").delete_object(Bucket=bucket, Key=key_of(prefix, 0))

    def run(self, prefix: str, **fields: Any) -> dict[str, Any]:
        """The output of a run by hand. Raises Broken at its first failure."""
        source = f"s3://{self.stack.input_bucket}/{prefix}"
        return self.end(start(self.stack, {"source": source, **fields}))

    def end(self, run: Execution) -> dict[str, Any]:
        """The output of a run that is under way. Raises Broken at its first failure."""
        deadline = time.monotonic() + WAIT_SECONDS
        while run.is_running():
            if failure := self.failure_of(run):
                self.stop(run)
                raise Broken(failure)
            if time.monotonic() > deadline:
                self.stop(run)
                raise TooLate("the run does not end")
            time.sleep(0.1)
        described = self.stack.client("stepfunctions").describe_execution(executionArn=run.arn)
        if described["status"] != "SUCCEEDED":
            raise Broken(f"the run failed: {described.get('cause', '')[:200]}")
        return run.result()

    def stop(self, run: Execution) -> None:
        """Stop a run, unless it has just ended."""
        with suppress(ClientError):
            run.stop("it is broken")

    def failure_of(self, run: Execution) -> str:
        history = self.stack.client("stepfunctions").get_execution_history(executionArn=run.arn)
        failed = [event["type"] for event in history["events"] if event["type"] in FAILURES]
        return f"{failed[0]} in the run" if failed else ""

    def until(self, ask: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not ask():
            if time.monotonic() > deadline:
                raise TooLate(f"not in time: {what}")
            time.sleep(0.1)

    def log_streams(self, name: str) -> int:
        group = resource_id(self.stack, f"{name}LogGroup")
        return len(self.stack.client("logs").describe_log_streams(logGroupName=group)["logStreams"])

    def has_error(self, name: str) -> bool:
        """Whether the log of a function has the trace of an error."""
        group, logs = resource_id(self.stack, f"{name}LogGroup"), self.stack.client("logs")
        events = logs.filter_log_events(logGroupName=group)["events"]
        return any("Traceback" in event["message"] for event in events)

    def until_logged(self, name: str, before: int) -> None:
        """Wait for a stream in a log group that had so many."""
        self.until(lambda: self.log_streams(name) > before, f"{name} logs", LOG_SECONDS)

    def keys(self, prefix: str) -> set[str]:
        return keys_in(self.stack, self.stack.output_bucket, prefix)

    def read(self, key: str) -> bytes:
        """An object of the output bucket."""
        found = self.stack.client("s3").get_object(Bucket=self.stack.output_bucket, Key=key)
        body: bytes = found["Body"].read()
        return body

    def put(self, key: str, body: bytes) -> None:
        """Write into the output bucket."""
        self.stack.client("s3").put_object(Bucket=self.stack.output_bucket, Key=key, Body=body)

    def put_source(self, key: str, body: bytes) -> str:
        """Write into the input bucket; returns the address."""
        self.stack.client("s3").put_object(Bucket=self.stack.input_bucket, Key=key, Body=body)
        return f"s3://{self.stack.input_bucket}/{key}"

    def delete(self, key: str) -> None:
        """Delete from the output bucket."""
        self.stack.client("s3").delete_object(Bucket=self.stack.output_bucket, Key=key)

    def key_at(self, address: str) -> str:
        """The key of what has this address in the output bucket."""
        return address.removeprefix(f"s3://{self.stack.output_bucket}/")


def key_of(prefix: str, index: int) -> str:
    """The key of a picture of an upload."""
    return f"{prefix}{index % 2}/{prefix.rstrip('/').rpartition('/')[2]}-{index}.jpg"


def edges_of(prefix: str, index: int) -> str:
    """The key of its edge map, after a run over the whole upload."""
    return f"edges/{key_of(prefix, index).removeprefix(prefix)}.png"


def prefix_of(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}/"


def expect(is_true: object, what: str) -> None:
    if not is_true:
        raise Broken(f"not true: {what}")
