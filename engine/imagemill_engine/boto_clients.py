"""boto3 clients of the engine, whatever AWS settings the user of this machine has."""

from __future__ import annotations

import os
import threading
from functools import cache

import boto3
import botocore.session
from botocore.config import Config

from imagemill_engine.settings import REGION
from imagemill_engine.shapes import Client

# setting: (name in the user's files, environment variable, default, conversion).
# With neither file nor variable, the default is all there is.
_IGNORE_USER_SETTINGS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


# A session reads botocore's own files once for all its clients, and makes one at a time.
_LOCK = threading.Lock()


@cache
def session() -> boto3.session.Session:
    """The session of all clients; it knows nothing of the user's own settings."""
    own = botocore.session.Session(session_vars=_IGNORE_USER_SETTINGS)
    return boto3.session.Session(botocore_session=own, region_name=REGION)


def client_of(
    service: str, endpoint_url: str, *, key_id: str, secret: str, token: str | None = None
) -> Client:
    """A client of one service; reads no profile, no file and no proxy of the user."""
    config = Config(
        s3={"addressing_style": "path"},
        max_pool_connections=64,
        proxies={},  # a proxy cannot reach this machine
        # At most three seconds: an engine on this machine that does not answer is dead.
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    with _LOCK:
        return session().client(
            service,
            endpoint_url=endpoint_url,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=config,
        )
