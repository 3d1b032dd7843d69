"""One engine with one stack for all the tests of this folder, and ways to run things on it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from imagemill_engine.boto_clients import client_of
from imagemill_engine.deploy import Stack, deploy_stack
from imagemill_engine.engine import Engine

ROOT = Path(__file__).parents[2]
STACK_TEMPLATE = Path(__file__).parent / "fixtures" / "stack" / "template.yaml"
PATIENCE_SECONDS = 240.0  # tells a hang from a slow machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Ask again and again; gives the first answer that is not empty."""

    def ask_until(ask: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := ask()):
            assert time.monotonic() < deadline, f"nothing after {PATIENCE_SECONDS:.0f} seconds"
            time.sleep(0.02)
        return found

    return ask_until


@pytest.fixture(scope="session")
def checkout_env() -> dict[str, str]:
    """The environment of a process that imports the tool and the engine of this checkout."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'engine'}"}


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    worker_env = {"FROM_WORKER_ENV": "yes"}
    warm = ("PlanRunFunction", "AggregateRunFunction", "BrokenFunction")
    with Engine.start(
        vcpus=2, worker_env=worker_env, stop_grace_seconds=1.0, warm_functions=warm
    ) as running:
        yield running


@pytest.fixture(scope="session")
def stack_template() -> Path:
    return STACK_TEMPLATE


@pytest.fixture(scope="session")
def stack(engine: Engine) -> Stack:
    return deploy_stack(engine, STACK_TEMPLATE, {"MaxvCpus": "4"}, "fixture")


class Machines:
    """Runs state machine definitions with the rights of the stack's machine role."""

    def __init__(
        self, states: Any, role_arn: str, until: Callable[..., Any], prefix: str = "probe"
    ) -> None:
        self.states = states
        self.role_arn = role_arn
        self._until = until
        self._prefix = prefix

    def create(self, definition: dict[str, Any], role_arn: str | None = None) -> str:
        arn: str = self.states.create_state_machine(
            name=f"{self._prefix}-{uuid4().hex[:12]}",
            definition=json.dumps(definition),
            roleArn=role_arn or self.role_arn,
        )["stateMachineArn"]
        return arn

    def start(self, definition: dict[str, Any], given: Any = None, **options: Any) -> str:
        machine = self.create(definition, **options)
        return self.start_machine(machine, given)

    def start_machine(self, machine_arn: str, given: Any = None) -> str:
        arn: str = self.states.start_execution(
            stateMachineArn=machine_arn, input=json.dumps({} if given is None else given)
        )["executionArn"]
        return arn

    def describe(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.states.describe_execution(executionArn=arn)
        return found

    def end(self, arn: str) -> dict[str, Any]:
        """How an execution ended, with its output read as `result`."""

        def ended() -> dict[str, Any] | None:
            found = self.describe(arn)
            return None if found["status"] == "RUNNING" else found

        found: dict[str, Any] = self._until(ended)
        return {**found, "result": json.loads(found["output"]) if found.get("output") else None}

    def run(self, definition: dict[str, Any], given: Any = None, **options: Any) -> dict[str, Any]:
        return self.end(self.start(definition, given, **options))

    def events(self, arn: str) -> list[dict[str, Any]]:
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]


@pytest.fixture(scope="session")
def machines(engine: Engine, stack: Stack, until: Callable[..., Any]) -> Machines:
    return Machines(engine.client("stepfunctions"), stack.outputs["MachineRoleArn"], until)


@pytest.fixture(scope="session")
def map_machines(engine: Engine, stack: Stack, until: Callable[..., Any]) -> Machines:
    """Machines with names for which the role may start children."""
    role_arn = stack.outputs["MachineRoleArn"]
    return Machines(engine.client("stepfunctions"), role_arn, until, prefix="map-probe")


class Jobs:
    """Submits shell scripts as jobs of the stack."""

    def __init__(self, batch: Any, outputs: Any, until: Callable[..., Any]) -> None:
        self.batch = batch
        self._outputs = outputs
        self._until = until

    def submit(self, script: str, **options: Any) -> str:
        request = {
            "jobName": "probe",
            "jobQueue": self._outputs["JobQueueArn"],
            "jobDefinition": self._outputs["JobDefinitionArn"],
            "parameters": {"script": script},
            **options,
        }
        job_id: str = self.batch.submit_job(**request)["jobId"]
        return job_id

    def describe(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.batch.describe_jobs(jobs=[job_id])["jobs"][0]
        return found

    def reach(self, job_id: str, *statuses: str) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            found = self.describe(job_id)
            return found if found["status"] in statuses else None

        found: dict[str, Any] = self._until(reached)
        return found

    def end(self, job_id: str) -> dict[str, Any]:
        return self.reach(job_id, "SUCCEEDED", "FAILED")

    def named(self, name: str) -> list[str]:
        """The ids of the jobs of a name, in whatever state they are."""
        queue = self._outputs["JobQueueArn"]
        listed = [
            job
            for status in ("RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
            for job in self.batch.list_jobs(jobQueue=queue, jobStatus=status)["jobSummaryList"]
        ]
        return sorted({job["jobId"] for job in listed if job["jobName"] == name})


@pytest.fixture(scope="session")
def jobs(engine: Engine, stack: Stack, until: Callable[..., Any]) -> Jobs:
    return Jobs(engine.client("batch"), stack.outputs, until)


@pytest.fixture(scope="session")
def as_role(engine: Engine) -> Callable[[str, str], Any]:
    """A client with the rights of a role."""

    def client(role_arn: str, service: str) -> Any:
        answer = engine.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="probe")
        credentials = answer["Credentials"]
        return client_of(
            service,
            engine.endpoint_url,
            key_id=credentials["AccessKeyId"],
            secret=credentials["SecretAccessKey"],
            token=credentials["SessionToken"],
        )

    return client


@pytest.fixture(scope="session")
def put(engine: Engine, stack: Stack) -> Any:
    """Put a document of items where the machine may read it; gives its key."""

    def put_items(key: str, body: bytes) -> str:
        engine.client("s3").put_object(
            Bucket=stack.outputs["OutputBucketName"], Key=f"items/{key}", Body=body
        )
        return f"items/{key}"

    return put_items


@pytest.fixture(scope="session")
def get(engine: Engine, stack: Stack) -> Any:
    """Read a JSON document of the output bucket."""

    def get_document(key: str) -> Any:
        bucket = stack.outputs["OutputBucketName"]
        return json.loads(engine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    return get_document
