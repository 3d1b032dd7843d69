"""Calls by the engine's own threads to its services, which answer in the thread that asks.

As root: nobody checks a role's rights on this way. Never from the event loop: it runs already.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import ModuleType
from urllib.parse import quote

from ministack.services import cloudwatch_logs, s3, sts

from imagemill_engine.batch.job import StartError
from imagemill_engine.batch.log_stream import LogEvent, LogWriteError
from imagemill_engine.batch.spec import LogTarget
from imagemill_engine.hooks import patching
from imagemill_engine.settings import REGION, ROOT_ACCESS_KEY_ID
from imagemill_engine.shapes import Document

CREDENTIAL_VARIABLES = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
}
_LOGS, _STS = "Logs_20140328", "AWSSecurityTokenServiceV20110615"
_JSON = "application/x-amz-json-1.1"
# Of a signature, the services look at nothing but whose it is.
_ROOT = f"AWS4-HMAC-SHA256 Credential={ROOT_ACCESS_KEY_ID}/20260101/{REGION}/any/aws4_request"
_REQUEST = ["method", "path", "headers", "body", "query_params"]


class CallError(Exception):
    """What a service has answered instead of a result."""


def check_services() -> None:
    """Raises HookError when the services do not answer as they did."""
    for service in (cloudwatch_logs, sts):
        patching.require_function(service, "handle_request", _REQUEST)
    patching.require(s3, "handle_request")


def put_object(bucket: str, key: str, body: bytes) -> None:
    """Write an object. Raises CallError."""
    _answer(s3, "PUT", f"/{bucket}/{quote(key)}", {}, body)


def assumed_role(role_arn: str, session_name: str) -> Mapping[str, str]:
    """Credentials of a role, as environment variables. Raises StartError."""
    request = {"RoleArn": role_arn, "RoleSessionName": session_name}
    try:
        found = _json_answer(sts, f"{_STS}.AssumeRole", request)["Credentials"]
    except CallError as error:
        raise StartError(f"the role {role_arn} cannot be assumed: {error}") from error
    return {variable: found[name] for name, variable in CREDENTIAL_VARIABLES.items()}


class CloudWatchLogs:
    """Takes the output of Batch jobs: a `LogSink`."""

    def open(self, target: LogTarget, stream: str) -> None:
        """Make a log stream. Raises StartError when its group is missing."""
        request = {"logGroupName": target.group, "logStreamName": stream}
        try:
            _json_answer(cloudwatch_logs, f"{_LOGS}.CreateLogStream", request)
        except CallError as error:
            raise StartError(f"no log stream in {target.group}: {error}") from error

    def put(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Append lines to a log stream. Raises LogWriteError."""
        rows = [{"timestamp": moment, "message": line} for moment, line in events]
        request = {"logGroupName": group, "logStreamName": stream, "logEvents": rows}
        try:
            _json_answer(cloudwatch_logs, f"{_LOGS}.PutLogEvents", request)
        except CallError as error:
            raise LogWriteError(str(error)) from error


def _json_answer(service: ModuleType, target: str, request: Mapping[str, object]) -> Document:
    headers = {"content-type": _JSON, "x-amz-target": target}
    answer: Document = json.loads(
        _answer(service, "POST", "/", headers, json.dumps(request).encode())
    )
    return answer


def _answer(
    service: ModuleType, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    called = service.handle_request(method, path, {**headers, "authorization": _ROOT}, body, {})
    status, _, answer = asyncio.run(called)
    content: bytes = answer if isinstance(answer, bytes) else str(answer).encode()
    if status >= 300:
        raise CallError(content.decode(errors="replace"))
    return content
