"""AWS clients, on AWS or on an endpoint, and what AWS refuses, said in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from imagemill.errors import RunFailedError, UsageError
from imagemill.options.stack import StackChoice

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
LOCAL_REGION = "us-east-1"
LOCAL_KEY = "test"  # id and secret of the engine's root user
AT_ONCE = 16  # requests

NO_REGION = (
    "No AWS region is set. Give --region or --profile, or set AWS_REGION; for a stack that "
    "`imagemill up` runs, give --endpoint-url."
)
NO_CREDENTIALS = (
    "There are no AWS credentials. Give --profile, or set AWS_PROFILE or AWS_ACCESS_KEY_ID; for a "
    "stack that `imagemill up` runs, give --endpoint-url."
)
_STALE = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure")


class Clients:
    """One boto3 client for each service, by the settings of the user or of the local engine."""

    def __init__(self, choice: StackChoice) -> None:
        self.endpoint = choice.endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
        self.is_local = urlsplit(self.endpoint or "").hostname in LOCAL_HOSTS
        with plainly():
            self._session = boto3.Session(
                profile_name=choice.profile, region_name=choice.region or self._local_region
            )
        self.client = cache(self._client)

    @property
    def region(self) -> str:
        return str(self._session.region_name)

    @property
    def _local_region(self) -> str | None:
        return LOCAL_REGION if self.is_local else None

    def _client(self, service: str) -> Any:
        options: dict[str, Any] = {"endpoint_url": self.endpoint} if self.endpoint else {}
        config = Config(retries={"mode": "standard"}, max_pool_connections=AT_ONCE)
        if self.is_local:
            options |= {"aws_access_key_id": LOCAL_KEY, "aws_secret_access_key": LOCAL_KEY}
            config = config.merge(Config(s3={"addressing_style": "path"}, proxies={}))
        with plainly():
            return self._session.client(service, config=config, **options)


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what AWS or the way to it refuses into one sentence that says what to do.

    Raises UsageError, or RunFailedError for what nobody expects.
    """
    try:
        yield
    except NoRegionError:
        raise UsageError(NO_REGION) from None
    except NoCredentialsError:
        raise UsageError(NO_CREDENTIALS) from None
    except ProfileNotFound as error:
        raise UsageError(
            f"--profile: {_text(error)}. `aws configure list-profiles` lists them."
        ) from None
    except ClientError as error:
        raise _refusal(error) from None
    except (ConnectionError, HTTPClientError) as error:
        raise RunFailedError(
            f"AWS does not answer: {_text(error)}. Is the network there, or, for an endpoint on "
            "this machine, does `imagemill up` run?"
        ) from None
    except BotoCoreError as error:
        raise UsageError(f"AWS cannot be asked: {_text(error)}.") from None


def _refusal(error: ClientError) -> Exception:
    code, about = error.response["Error"].get("Code", ""), error.response["Error"].get("Message")
    if code in _STALE:
        return UsageError("The AWS credentials have expired. Sign in again, as by `aws sso login`.")
    if code in _DENIED:
        return UsageError(f"AWS denies {error.operation_name}: {about or code}".rstrip(".") + ".")
    if code in ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"):
        return UsageError("AWS does not know these credentials. Are they those of this endpoint?")
    return RunFailedError(f"AWS refuses {error.operation_name}: {about or code}".rstrip(".") + ".")


def _text(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
