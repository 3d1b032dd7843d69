"""boto3 clients with which the engine's own threads call the engine.

Never from the event loop: it would wait for itself.
"""

import contextlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from imagemill_engine import settings
from imagemill_engine.batch.job import StartError
from imagemill_engine.batch.logs import LogEvent
from imagemill_engine.batch.spec import LogTarget
from imagemill_engine.session import client_of

CREDENTIAL_VARIABLES = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
}


def endpoint_url() -> str:
    return f"http://{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"


@cache
def root_client(service: str) -> Any:
    return client_of(
        service,
        endpoint_url(),
        key_id=settings.ROOT_ACCESS_KEY_ID,
        secret=settings.ROOT_SECRET_ACCESS_KEY,
    )


@cache
def role_client(service: str, role_arn: str) -> Any:
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
    """Credentials of a role, as environment variables."""
    try:
        answer = root_client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64])
    except ClientError as error:
        raise StartError(f"the role {role_arn} cannot be assumed: {error}") from error
    found = answer["Credentials"]
    return {variable: found[name] for name, variable in CREDENTIAL_VARIABLES.items()}


class CloudWatchLogs:
    """The `LogSink` of Batch jobs."""

    def open(self, target: LogTarget, stream: str) -> None:
        logs = root_client("logs")
        if target.create_group:
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=target.group)
        try:
            logs.create_log_stream(logGroupName=target.group, logStreamName=stream)
        except ClientError as error:
            raise StartError(f"no log stream in {target.group}: {error}") from error

    def put(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        root_client("logs").put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": moment, "message": line} for moment, line in events],
        )
