"""The embedded engine as a child process of the caller."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType

from imagemill_engine import settings
from imagemill_engine.errors import EngineDiedError, EngineError
from imagemill_engine.processes import HOST, listening_socket, server_process, watched
from imagemill_engine.shapes import Client

READY_SECONDS = 120.0  # far more than it takes, also on a machine that is busy
LOG_TAIL_BYTES = 4_000
_NO_ENV: Mapping[str, str] = MappingProxyType({})


def _nothing(_engine: Engine) -> None:
    """What is done while the engine starts, if the caller has nothing to do."""


def usable_cpu_count() -> int:
    """How many processors this process may use; a container may have fewer than its machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Engine:
    """A running engine; use `with Engine.start() as engine`."""

    region = settings.REGION
    account_id = settings.ACCOUNT_ID

    def __init__(
        self, *, port: int, vcpus: int, folder: Path, process: subprocess.Popen[bytes]
    ) -> None:
        self.port = port
        self.pid = process.pid
        self.endpoint_url = f"http://{HOST}:{port}"
        self.vcpus = vcpus
        self.folder = folder
        self.log_path = folder / "engine.log"
        self._process = process
        # Kept open: the log can still be read after the watchdog has removed the folder.
        self._log = self.log_path.open("rb")
        self._clients: dict[str, Client] = {}
        self._clients_lock = threading.Lock()

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        port: int | None = None,
        vcpus: int | None = None,
        worker_env: Mapping[str, str] = _NO_ENV,
        *,
        stop_grace_seconds: float = 30.0,
        warm_functions: Sequence[str] = (),
        meanwhile: Callable[[Engine], None] = _nothing,
    ) -> Iterator[Engine]:
        """Run an engine for the time of a `with` block.

        `vcpus` (default: the processors of this machine), `worker_env`, `stop_grace_seconds` and
        `warm_functions` are those of `EngineSettings`. `meanwhile` is called while the engine
        starts: it may make clients, and not use them.

        Raises `EngineError` when the port is taken or the engine does not become ready.
        """
        cpus = vcpus or usable_cpu_count()
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(listening_socket(port))
            bound_port = int(listener.getsockname()[1])
            folder = Path(tempfile.mkdtemp(prefix="imagemill-engine-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            token = secrets.token_hex(16)
            engine_pipe = stack.enter_context(watched(folder, token))
            config = settings.EngineSettings(
                endpoint_url=f"http://{HOST}:{bound_port}",
                listener=listener.fileno(),
                watchdog=engine_pipe.fileno(),
                token=token,
                folder=str(folder),
                vcpus=cpus,
                worker_env=dict(worker_env),
                stop_grace_seconds=stop_grace_seconds,
                warm_functions=tuple(warm_functions),
            )
            process = stack.enter_context(server_process(config, bound_port))
            listener.close()
            engine_pipe.close()
            engine = cls(port=bound_port, vcpus=cpus, folder=folder, process=process)
            stack.callback(engine.close)
            meanwhile(engine)
            engine._wait_until_ready()
            yield engine

    def client(self, service: str) -> Client:
        """A boto3 client with the rights of the account's root user."""
        from imagemill_engine.boto_clients import client_of  # not before the server is started

        with self._clients_lock:
            if service not in self._clients:
                self._clients[service] = client_of(
                    service,
                    self.endpoint_url,
                    key_id=settings.ROOT_ACCESS_KEY_ID,
                    secret=settings.ROOT_SECRET_ACCESS_KEY,
                )
            return self._clients[service]

    def check(self) -> None:
        """Raise `EngineDiedError` with the end of the log when the engine has died."""
        code = self._process.poll()
        if code is not None:
            raise EngineDiedError(code, self._log_tail())

    def close(self) -> None:
        """Close the clients and the log; `start` does so at the end of its block."""
        for client in self._clients.values():
            client.close()
        self._log.close()

    def _log_tail(self) -> str:
        size_bytes = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size_bytes - LOG_TAIL_BYTES))
        return self._log.read().decode(errors="replace").strip()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if _is_healthy(self.port):
                return
            time.sleep(0.02)
        raise EngineError(
            f"The engine is not ready after {READY_SECONDS:.0f} seconds.\n{self._log_tail()}"
        )


def _is_healthy(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()
