"""A server on a port of this machine, in a thread of its own, for the time of a `with` block."""

from __future__ import annotations

import asyncio
import socket
import threading
from abc import ABC, abstractmethod
from typing import Self

from tests.helpers.faults.messages import MOST_HEAD_BYTES, MessageError

HOST = "127.0.0.1"


class ServerThread(ABC):
    """Serves connections until the block ends, and then raises what a bug of its own has raised."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0), backlog=512)
        self.endpoint_url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True, name=type(self).__name__)
        self._ready = threading.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._bugs: list[BaseException] = []

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer all requests of one connection, which is closed afterwards."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._bugs:
            raise self._bugs[0]

    def _run(self) -> None:
        asyncio.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self._accept, sock=self._listener, limit=MOST_HEAD_BYTES
        )
        self._ready.set()
        await self._stop.wait()
        server.close()
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve_one(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._forget)

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)  # what is drained is with the kernel
        try:
            await self.serve(reader, writer)
        except (ConnectionError, TimeoutError, MessageError):
            pass  # the client's own end of the connection
        finally:
            writer.transport.abort()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._bugs.append(error)
