"""A line of JSON for each request to S3 that reaches the embedded engine.

`logging_engine` puts a module in front of the engine that wraps its application; the engine itself
is unchanged. Requests of the account's root user are the benchmark's own and are left out; those of
jobs, handlers and the state machine have the credentials of their roles.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs

from imagemill_engine import processes
from imagemill_engine.settings import ROOT_ACCESS_KEY_ID, EngineSettings

_CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/s3/aws4_request")
_PRELOADED = """
import sys
if "imagemill_engine.server" in sys.orig_argv:
    from benchmarks import request_log
    request_log.install({path!r})
"""

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[..., Any], Callable[..., Any]], Awaitable[None]]


class Kind(StrEnum):
    """Kinds of requests by price: PUT, COPY, POST and LIST cost 12.5 times GET and all others."""

    PUT = "put"
    LIST = "list"
    GET = "get"
    DELETE = "delete"  # free


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `key` is empty if it is about the whole bucket."""

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    status: int

    @classmethod
    def of_line(cls, line: str) -> Request:
        row = json.loads(line)
        bucket, _, key = row["path"].removeprefix("/").partition("/")
        fields = parse_qs(row["query"], keep_blank_values=True)
        query = {name: values[0] for name, values in fields.items()}
        return cls(row["method"], bucket, key, query, row["status"])

    @property
    def kind(self) -> Kind:
        if self.method == "DELETE" or (self.method == "POST" and "delete" in self.query):
            return Kind.DELETE
        if self.method in ("PUT", "POST"):
            return Kind.PUT
        return Kind.LIST if self.method == "GET" and not self.key else Kind.GET


@contextmanager
def logging_engine() -> Iterator[Path]:
    """Engines that are started in this block log to the file that it yields."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "requests.jsonl")
        log.touch()
        Path(folder, "sitecustomize.py").write_text(_PRELOADED.format(path=str(log)))
        original = processes.server_env

        def server_env(config: EngineSettings, port: int) -> dict[str, str]:
            env = original(config, port)
            return {**env, "PYTHONPATH": os.pathsep.join([folder, env["PYTHONPATH"]])}

        processes.server_env = server_env
        try:
            yield log
        finally:
            processes.server_env = original


def requests_in(log: Path) -> list[Request]:
    return [Request.of_line(line) for line in log.read_text().splitlines()]


def install(path: str) -> None:
    """In the engine's process: put the log in front of the served application."""
    from hypercorn import asyncio as server

    serve = server.serve
    log = Path(path).open("a", buffering=1)  # noqa: SIM115 # until the process ends

    def serve_logged(application: Application, *arguments: Any) -> Any:
        logged: Any = _logged(application, log.write)
        return serve(logged, *arguments)

    vars(server)["serve"] = serve_logged


def _logged(application: Application, write: Callable[[str], object]) -> Application:
    async def answer(scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        headers = dict(scope.get("headers", ()))
        caller = _CREDENTIAL.search(headers.get(b"authorization", b"").decode("latin1"))
        if caller is None or caller[1] == ROOT_ACCESS_KEY_ID:
            await application(scope, receive, send)
            return

        async def send_noted(message: Scope) -> None:
            if message["type"] == "http.response.start":
                names = {"method": scope["method"], "path": scope["path"]}
                query = scope["query_string"].decode("latin1")
                line = json.dumps({**names, "query": query, "status": message["status"]})
                write(line + "\n")
            await send(message)

        await application(scope, receive, send_noted)

    return answer
