"""Clients with which the engine's own threads call the engine.

Never from the event loop: it would wait for itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache

from botocore.exceptions import BotoCoreError, ClientError

from imagemill_engine import settings
from imagemill_engine.batch.job import StartError
from imagemill_engine.batch.log_stream import LogEvent, LogWriteError
from imagemill_engine.batch.spec import LogTarget
from imagemill_engine.boto_clients import client_of
from imagemill_engine.shapes import Client

CREDENTIAL_VARIABLES = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
}


def endpoint_url() -> str:
    """Where this engine serves."""
    return f"http://{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"


@cache
def root_client(service: str) -> Client:
    """A client that may do everything."""
    return client_of(
        service,
        endpoint_url(),
        key_id=settings.ROOT_ACCESS_KEY_ID,
        secret=settings.ROOT_SECRET_ACCESS_KEY,
    )


@cache
def role_client(service: str, role_arn: str) -> Client:
    """A client with the rights of a role, which the emulator enforces."""
    credentials = assumed_role(role_arn, "states")
    return client_of(
        service,
        endpoint_url(),
        key_id=credentials["AWS_ACCESS_KEY_ID"],
        secret=credentials["AWS_SECRET_ACCESS_KEY"],
        token=credentials["AWS_SESSION_TOKEN"],
    )


def assumed_role(role_arn: str, session_name: str) -> Mapping[str, str]:
    """Credentials of a role, as environment variables. Raises StartError."""
    try:
        answer = root_client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
    except ClientError as error:
        raise StartError(f"the role {role_arn} cannot be assumed: {error}") from error
    found = answer["Credentials"]
    return {variable: found[name] for name, variable in CREDENTIAL_VARIABLES.items()}


class CloudWatchLogs:
    """Takes the output of Batch jobs: a `LogSink`."""

    def open(self, target: LogTarget, stream: str) -> None:
        """Make a log stream. Raises StartError when its group is missing."""
        try:
            root_client("logs").create_log_stream(logGroupName=target.group, logStreamName=stream)
        except ClientError as error:
            raise StartError(f"no log stream in {target.group}: {error}") from error

    def put(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Append lines to a log stream. Raises LogWriteError."""
        try:
            root_client("logs").put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": moment, "message": line} for moment, line in events],
            )
        except (BotoCoreError, ClientError) as error:
            raise LogWriteError(str(error)) from error
