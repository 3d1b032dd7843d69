"""AWS as moto plays it, with the two buckets and a state machine that waits."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import group_objects
import plan_run
import pytest
from moto.server import ThreadedMotoServer

import imagemill_app.stores
from tests.helpers.run_steps import INPUT, OUTPUT


@pytest.fixture(scope="package")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "INPUT_BUCKET_NAME": INPUT,
        "OUTPUT_BUCKET_NAME": OUTPUT,
        "SOURCE_PREFIX": "full/",
        "UPLOAD_WINDOW_SECONDS": "86400",
        "WINDOW_GRACE_SECONDS": "10",
        "MAX_PARALLEL_JOBS": "4",
        "MIN_SHARD_SECONDS": "30",
        "SLICE_OBJECTS": "250000",
        "UPLOAD_RECIPE": '{"size": 256}',
        "COMMIT": "0123456789abcdef",
        "WORKER_IMAGE_URI": "image",
        "MODEL_IMAGE_URI": "model image",
        "MAX_RUN_DOLLARS": "0",
        "ALLOW_FILE_URIS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    s3, states = boto3.client("s3"), boto3.client("stepfunctions")
    for bucket in (INPUT, OUTPUT):
        s3.create_bucket(Bucket=bucket)
    definition = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}},
    }
    role = "arn:aws:iam::123456789012:role/states"
    machine = states.create_state_machine(
        name="machine", definition=json.dumps(definition), roleArn=role
    )
    monkeypatch.setenv("STATE_MACHINE_ARN", machine["stateMachineArn"])
    forget(group_objects, plan_run)
    yield {"s3": s3, "states": states, "machine": machine["stateMachineArn"]}
    urllib.request.urlopen(f"{endpoint}/moto-api/reset", data=b"").close()  # noqa: S310 # our own server
    forget(group_objects, plan_run)


def forget(*modules: ModuleType) -> None:
    """Clear the cached settings and clients, as a new Lambda environment would."""
    for module in modules:
        module.settings.cache_clear()
    group_objects.step_functions.cache_clear()
    group_objects.inbox.cache_clear()
    imagemill_app.stores.store_of.cache_clear()
