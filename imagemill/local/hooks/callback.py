"""boto3 clients with which the engine's own threads call the engine.

Never from the event loop: it would wait for itself.
"""

import contextlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from imagemill.local import settings
from imagemill.local.batch.job import StartError
from imagemill.local.batch.logs import LogEvent
from imagemill.local.batch.spec import LogTarget

CREDENTIAL_VARIABLES = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
}


def endpoint_url() -> str:
    return f"http://{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"


def _client(service: str, key_id: str, secret: str, token: str | None) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint_url(),
        region_name=settings.REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(s3={"addressing_style": "path"}, proxies={}, max_pool_connections=64),
    )


@cache
def root_client(service: str) -> Any:
    return _client(
        service, settings.ROOT_ACCESS_KEY_ID, settings.ROOT_SECRET_ACCESS_KEY, token=None
    )


@cache
def role_client(service: str, role_arn: str) -> Any:
    """A client with the rights of a role, which the emulator enforces."""
    credentials = assumed_role(role_arn, "states")
    return _client(
        service,
        credentials["AWS_ACCESS_KEY_ID"],
        credentials["AWS_SECRET_ACCESS_KEY"],
        credentials["AWS_SESSION_TOKEN"],
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
