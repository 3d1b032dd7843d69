"""The whole stack on this machine: the engine with the template deployed on it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from imagemill.errors import EngineLostError
from imagemill.project import TEMPLATE, WORKER_FOLDERS, commit
from imagemill_engine.engine import Engine
from imagemill_engine.errors import EngineDiedError
from imagemill_engine.errors import LocalError as LocalError  # for those who use a stack

if TYPE_CHECKING:  # imported where it is used, while the engine starts
    from imagemill_engine.deploy import Package

# Only these parameters differ from a deployment on AWS.
LOCAL_PARAMETERS: Mapping[str, str] = {
    "AllowFileUris": "true",
    "UploadWindowSeconds": "2",
    "WindowGraceSeconds": "1",
    "BatchingWindowSeconds": "1",
    "MinShardSeconds": "2",  # a job starts in half a second here
    # jobs are processes: images are never pulled
    "WorkerImageUri": f"this-machine@sha256:{'0' * 64}",
    "ModelImageUri": f"this-machine@sha256:{'1' * 64}",
}
STACK_NAME = "imagemill"
WARM_FUNCTIONS = ("PlanRunFunction", "AggregateRunFunction")  # all that most runs call
DEATH_SECONDS = 1.0  # a connection breaks a moment before the process has ended
POLL_SECONDS = 0.05
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A deployed stack on a running engine."""

    engine: Engine
    name: str
    input_bucket: str
    output_bucket: str
    state_machine_arn: str
    worker_log_group: str

    def client(self, service: str) -> Any:
        """A boto3 client on the engine."""
        return self.engine.client(service)


def worker_environment() -> dict[str, str]:
    """The variables that the worker image sets, for local jobs."""
    return {"PYTHONPATH": os.pathsep.join(map(str, WORKER_FOLDERS))}


@cache
def _package() -> Package:
    """The template and its files. Imports what deploys, which the start of an engine hides."""
    from imagemill_engine.deploy import package_of

    return package_of(TEMPLATE)


def prepare(engine: Engine) -> None:
    """Get ready for a run while the engine starts. Raises DeployError."""
    _package()
    commit()
    for service in ("s3", "cloudformation", "stepfunctions", "logs"):
        engine.client(service)


def deployed_on(
    engine: Engine, parameters: Mapping[str, str], name: str = STACK_NAME
) -> LocalStack:
    """Deploy the template on a running engine. Raises DeployError."""
    from imagemill_engine.deploy import deploy_package

    found = {"MaxvCpus": str(engine.vcpus), "Commit": commit()}
    chosen = {**LOCAL_PARAMETERS, **found, **parameters}
    outputs = deploy_package(engine, _package(), chosen, name).outputs
    return LocalStack(
        engine=engine,
        name=name,
        input_bucket=outputs["InputBucketName"],
        output_bucket=outputs["OutputBucketName"],
        state_machine_arn=outputs["StateMachineArn"],
        worker_log_group=outputs["WorkerLogGroupName"],
    )


@contextmanager
def local_stack(
    port: int | None = None, vcpus: int | None = None, parameters: Mapping[str, str] = _NONE
) -> Iterator[LocalStack]:
    """Start the engine, deploy the template, and end everything when the block ends.

    Raises:
        EngineError: The engine does not start.
        DeployError: The template cannot be deployed.
        EngineLostError: The engine died during the block, whatever the block raised because of it.
    """
    started = Engine.start(
        port=port,
        vcpus=vcpus,
        worker_env=worker_environment(),
        warm_functions=WARM_FUNCTIONS,
        meanwhile=prepare,
    )
    try:
        with started as engine, _faults_of(engine):
            yield deployed_on(engine, parameters)
    except EngineDiedError as death:
        raise EngineLostError(_epitaph(death)) from death


@contextmanager
def _faults_of(engine: Engine) -> Iterator[None]:
    """Turn what clients raise because the engine has died into EngineLostError."""
    from botocore.exceptions import BotoCoreError, ClientError  # not before the engine is started

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        deadline = time.monotonic() + DEATH_SECONDS
        while time.monotonic() < deadline:
            engine.check()
            time.sleep(POLL_SECONDS)
        raise EngineLostError(f"The engine does not answer as it should: {error}") from error


def _epitaph(death: EngineDiedError) -> str:
    again = "Run the same command again to go on."
    if death.code < 0:
        return f"The engine was killed by {signal.Signals(-death.code).name}. {again}"
    if death.code == 0:
        return f"The engine was ended from outside. {again}"
    last_line = death.log.rpartition("\n")[2]
    return f"The engine has ended with code {death.code}: {last_line or 'it said nothing'}. {again}"
