"""The whole stack with a proxy between its S3 and all that works with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from imagemill.local_stack import LocalStack, deployed_on, worker_environment
from imagemill_engine.engine import Engine
from tests.helpers.faults.proxy import FaultProxy

# What the SDKs and obstore ask before AWS_ENDPOINT_URL, which the engine sets.
VARIABLE = "AWS_ENDPOINT_URL_S3"


@dataclass(frozen=True)
class ProxiedStack:
    """`stack.client` goes to the engine by the straight way."""

    stack: LocalStack
    proxy: FaultProxy


@contextmanager
def proxied_stack(
    seed: int = 0, parameters: Mapping[str, str] | None = None, vcpus: int | None = None
) -> Iterator[ProxiedStack]:
    """A stack of its own, whose jobs and handlers reach S3 through the proxy.

    The state machine's own reading and writing, of plan and Map results, happens within the engine
    and passes no proxy.
    """
    with FaultProxy(seed=seed) as proxy:
        env = {**worker_environment(), VARIABLE: proxy.endpoint_url}
        with Engine.start(vcpus=vcpus, worker_env=env) as engine:
            proxy.upstream = engine.endpoint_url
            stack = deployed_on(engine, parameters or {})
            _lead_handlers(stack, proxy.endpoint_url)
            yield ProxiedStack(stack, proxy)


def _lead_handlers(stack: LocalStack, endpoint_url: str) -> None:
    functions = stack.client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            variables = {**function["Environment"]["Variables"], VARIABLE: endpoint_url}
            functions.update_function_configuration(
                FunctionName=function["FunctionName"], Environment={"Variables": variables}
            )
