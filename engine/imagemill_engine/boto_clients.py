"""boto3 clients of the engine, whatever AWS set-up the user of this machine has."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from imagemill_engine.settings import REGION

# Name of the setting -> (in the file, in the environment, default, conversion): neither a profile
# nor a file of the user's is read.
_ISOLATED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def isolated_session() -> Any:
    own = botocore.session.Session(session_vars=_ISOLATED)
    return boto3.session.Session(botocore_session=own, region_name=REGION)


def client_of(
    service: str, endpoint_url: str, *, key_id: str, secret: str, token: str | None = None
) -> Any:
    return isolated_session().client(
        service,
        endpoint_url=endpoint_url,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(
            s3={"addressing_style": "path"},
            max_pool_connections=64,
            proxies={},  # a proxy of the user's cannot reach this machine
        ),
    )
