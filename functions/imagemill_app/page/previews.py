"""Small copies of pictures, made by a process that may die of them."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from imagemill_app.page.shrink import LENGTH_BYTES, MAX_SOURCE_BYTES

PICTURE_SECONDS = 10.0


class _StuckError(Exception):
    """The process has died, or takes too long."""


@dataclass(slots=True)
class Previews:
    """Shrinks pictures, one after the other. A decoder that crashes costs its own picture alone."""

    _process: subprocess.Popen[bytes] | None = None

    def of(self, body: bytes) -> bytes | None:
        """A small WebP of the picture; None if it cannot be decoded, or is too large."""
        if not body or len(body) > MAX_SOURCE_BYTES:
            return None
        try:
            return self._asked(body) or None
        except (_StuckError, BrokenPipeError):
            self.close()
            return None

    def close(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process.wait()
        self._process = None

    def _asked(self, body: bytes) -> bytes:
        if self._process is None:
            self._process = _started()
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 # it was asked for
        assert stdout is not None  # noqa: S101 # it was asked for
        stdin.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
        stdin.flush()
        deadline = time.monotonic() + PICTURE_SECONDS
        length = int.from_bytes(_read(stdout, LENGTH_BYTES, deadline), "big")
        return _read(stdout, length, deadline)


@contextmanager
def previews() -> Iterator[Previews]:
    """Makes small copies while the block runs."""
    found = Previews()
    try:
        yield found
    finally:
        found.close()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "imagemill_app.page.shrink"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _read(stream: IO[bytes], length: int, deadline: float) -> bytes:
    """Raises _StuckError unless all of it comes in time."""
    found = b""
    while len(found) < length:
        is_ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(stream.fileno(), length - len(found)) if is_ready else b""
        if not part:
            raise _StuckError
        found += part
    return found
