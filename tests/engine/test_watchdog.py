"""However an engine ends, nothing of it is left: no process, no port, no file."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.watchdog import TOKEN_VARIABLE

pytestmark = pytest.mark.engine

OWNER = Path(__file__).parent / "fixtures" / "owner.py"
PATIENCE_SECONDS = 240.0
# the engine, the handler's process, the job, its sleep, and the child that left its group
PROCESSES_AT_WORK = 5


def processes_with(token: str) -> list[int]:
    """Every living process that has the engine's token in its environment or its arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if token in (folder / "environ").read_bytes().decode(errors="replace") or (
                token in (folder / "cmdline").read_bytes().decode(errors="replace")
            ):
                state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
                if state != "Z":
                    found.append(int(folder.name))
        except OSError:
            continue
    return found


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Owner:
    process: subprocess.Popen[str]
    port: int
    folder: Path
    engine: int
    token: str

    def is_gone(self) -> bool:
        return not (processes_with(self.token) or is_listening(self.port) or self.folder.exists())

    def say_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@pytest.fixture
def start_owner(
    until: Callable[..., Any], checkout_env: dict[str, str]
) -> Iterator[Callable[[str], Owner]]:
    started: list[subprocess.Popen[str]] = []

    def start(manner: str) -> Owner:
        process = subprocess.Popen(
            [sys.executable, str(OWNER), manner],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=checkout_env,
        )
        started.append(process)
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        environ = Path(f"/proc/{facts['engine']}/environ").read_text().split("\0")
        token = next(one for one in environ if one.startswith(TOKEN_VARIABLE)).split("=")[1]
        until(lambda: len(processes_with(token)) > PROCESSES_AT_WORK)  # the watchdog as well
        return Owner(process, facts["port"], Path(facts["folder"]), facts["engine"], token)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def interrupt_the_group(owner: Owner) -> None:
    os.killpg(owner.process.pid, signal.SIGINT)


def terminate(owner: Owner) -> None:
    owner.process.terminate()


def kill(owner: Owner) -> None:
    owner.process.kill()


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (interrupt_the_group, -signal.SIGINT),
        (terminate, 128 + signal.SIGTERM),
        (kill, -signal.SIGKILL),
    ],
    ids=["SIGINT to the group", "SIGTERM", "SIGKILL"],
)
def test_nothing_is_left_when_the_owner_is_ended_by(
    start_owner: Callable[[str], Owner], end: Callable[[Owner], None], code: int, until: Any
):
    owner = start_owner("wait")
    owner.say_go()
    end(owner)
    assert owner.process.wait(PATIENCE_SECONDS) == code
    until(owner.is_gone)


@pytest.mark.parametrize(("manner", "code"), [("end", 0), ("crash", 1)])
def test_nothing_is_left_when_the_owner_ends_by_itself(
    start_owner: Callable[[str], Owner], manner: str, code: int
):
    owner = start_owner(manner)
    owner.say_go()
    assert owner.process.wait(PATIENCE_SECONDS) == code
    # The owner has waited for the watchdog, so there is nothing to wait for now.
    assert owner.is_gone()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 0)])
def test_nothing_is_left_and_the_owner_is_told_when_the_engine_is_ended(
    start_owner: Callable[[str], Owner], number: signal.Signals, code: int, until: Any
):
    owner = start_owner("check")
    os.kill(owner.engine, number)
    until(owner.is_gone)
    owner.say_go()
    _, error = owner.process.communicate(timeout=PATIENCE_SECONDS)
    assert owner.process.returncode == 1
    assert f"EngineDiedError: The engine has ended with code {code}." in error
    assert "Ready" in error  # the end of the log, although its folder has been removed


def test_nothing_is_left_when_a_stopped_engine_loses_its_owner(
    start_owner: Callable[[str], Owner], until: Any
):
    owner = start_owner("wait")
    os.kill(owner.engine, signal.SIGSTOP)  # it cannot end itself
    owner.process.kill()
    until(owner.is_gone)
