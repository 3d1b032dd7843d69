"""Leaves no process and no file behind, however the engine or its owner ends.

Runs as a process of its own, in a session of its own, with the standard library alone. It holds
the read end of two pipes: the owner (the process that called `Engine.start`) holds the write end
of one, the engine that of the other. The kernel closes a write end when its holder ends, by
`kill -9` too, so end of file on either pipe means: kill what is left, remove the folder, end.

The engine reports the process groups that it starts (`group PGID`, `forget PGID`). On Linux every
process that carries the engine's token in its environment is found as well, which covers a child
that was started in the instant before its starter was killed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

TOKEN_VARIABLE = "IMAGEMILL_ENGINE_TOKEN"  # noqa: S105 # a variable's name
SWEEP_ATTEMPTS = 50
SWEEP_PAUSE_SECONDS = 0.02


def wait_for_end_of_file(descriptors: tuple[int, ...]) -> set[int]:
    """Collect the reported process groups until one of the pipes is closed."""
    groups: set[int] = set()
    pending = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                received = os.read(key.fd, 65_536)
                if not received:
                    return groups
                *lines, pending[key.fd] = (pending[key.fd] + received).split(b"\n")
                for line in lines:
                    note(groups, line.decode())


def note(groups: set[int], line: str) -> None:
    """Take in one line of the engine: `group PGID` or `forget PGID`."""
    word, _, group = line.partition(" ")
    if word == "group":
        groups.add(int(group))
    elif word == "forget":
        groups.discard(int(group))


def marked_processes(token: str) -> Iterator[int]:
    """Every process of this user that was started under the engine's token (Linux)."""
    mark = f"{TOKEN_VARIABLE}={token}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def kill_all(groups: set[int], token: str) -> None:
    """Kill the groups, and what carries the token, until nothing is left."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for _ in range(SWEEP_ATTEMPTS):
        left = list(marked_processes(token))
        if not left:
            return
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(SWEEP_PAUSE_SECONDS)


def main() -> None:
    """Wait for the end of the owner or of the engine, and clean up after both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("--engine", type=int, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = wait_for_end_of_file((arguments.owner, arguments.engine))
    kill_all(groups, arguments.token)
    shutil.rmtree(arguments.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
