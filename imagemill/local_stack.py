"""The whole stack on this machine: the engine with the template deployed on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from imagemill.errors import EngineLostError
from imagemill.project import TEMPLATE, WORKER_FOLDERS
from imagemill_engine.deploy import STACK_NAME, deploy_stack
from imagemill_engine.engine import Engine
from imagemill_engine.errors import EngineError

# Only these parameters differ from a deployment on AWS.
LOCAL_PARAMETERS: Mapping[str, str] = {
    "AllowFileUris": "true",
    "UploadWindowSeconds": "2",
    "WindowGraceSeconds": "1",
    "BatchingWindowSeconds": "1",
    "MinShardSeconds": "2",  # a job starts in half a second here
}
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


def deployed_on(
    engine: Engine, parameters: Mapping[str, str], name: str = STACK_NAME
) -> LocalStack:
    """Deploy the template on a running engine. Raises DeployError."""
    chosen = {**LOCAL_PARAMETERS, "MaxvCpus": str(engine.vcpus), **parameters}
    outputs = deploy_stack(engine, TEMPLATE, chosen, name).outputs
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
        EngineLostError: The engine has died within the block, whatever was raised there.
    """
    environment = worker_environment()
    with (
        Engine.start(port=port, vcpus=vcpus, worker_env=environment) as engine,
        faults_explained(engine),
    ):
        yield deployed_on(engine, parameters)


@contextmanager
def faults_explained(engine: Engine) -> Iterator[None]:
    """What clients raise when the engine has died, or is at fault, as EngineLostError."""
    try:
        yield
    except EngineError as error:
        raise _lost(error) from error
    except (BotoCoreError, ClientError) as error:
        deadline = time.monotonic() + DEATH_SECONDS
        while time.monotonic() < deadline:
            try:
                engine.check()
            except EngineError as death:
                raise _lost(death) from error
            time.sleep(POLL_SECONDS)
        raise EngineLostError(f"The engine does not answer as it should: {error}.") from error


def _lost(death: EngineError) -> EngineLostError:
    sentence, _, log = str(death).partition("\n")
    last_line = log.rpartition("\n")[2].strip()
    said = f" The last line of its log: {last_line}" if last_line else ""
    return EngineLostError(f"{sentence} Run the same command again to go on.{said}")
