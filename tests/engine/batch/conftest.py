"""An executor by itself: real processes, no emulator."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.batch.executor import Executor, Host
from imagemill_engine.batch.job import StartError
from imagemill_engine.batch.logs import LogEvent
from imagemill_engine.batch.spec import JobSpec, LogTarget, Placement

GRACE_SECONDS = 0.4


class RememberedLogs:
    def __init__(self) -> None:
        self.lines: list[tuple[float, str]] = []
        self.puts = 0

    def open(self, target: LogTarget, stream: str) -> None:
        if target.group == "missing":
            raise StartError("no log stream in missing")

    def put(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        self.puts += 1
        self.lines += [(time.monotonic(), line) for _, line in events]

    @property
    def text(self) -> list[str]:
        return [line for _, line in self.lines]


class Groups:
    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.alive: set[int] = set()

    def started(self, group: int) -> None:
        self.seen.add(group)
        self.alive.add(group)


@pytest.fixture
def logs() -> RememberedLogs:
    return RememberedLogs()


@pytest.fixture
def groups() -> Groups:
    return Groups()


def refused(_role: str, _session: str) -> Mapping[str, str]:
    raise StartError("the role cannot be assumed")


@pytest.fixture
def executor(tmp_path: Path, logs: RememberedLogs, groups: Groups) -> Executor:
    return Executor(
        Host(
            vcpus=2,
            jobs_folder=tmp_path,
            base_env={"PATH": os.environ["PATH"], "BASE": "1", "SHARED": "base"},
            credentials=lambda role, session: {"ROLE": role} if role == "role" else refused("", ""),
            logs=logs,
            job_arn=lambda job_id: f"arn:job/{job_id}",
            stop_grace_seconds=GRACE_SECONDS,
            group_started=groups.started,
            group_ended=groups.alive.discard,
        )
    )


def shell_spec(script: str = "true", **changes: Any) -> JobSpec:
    members: dict[str, Any] = {
        "job_name": "one",
        "definition_arn": "arn:definition:1",
        "definition_name": "definition",
        "placement": Placement("arn:queue", "queue", "environment", changes.pop("room", 8)),
        "command": ("sh", "-c", script),
        "environment": {},
        "parameters": {},
        "vcpus": 1,
        "memory_mib": 100,
        "image": "",
        "job_role_arn": "",
        "log": LogTarget("group", "prefix", create_group=False),
    }
    return JobSpec(**members | changes)


@pytest.fixture
def spec() -> Callable[..., JobSpec]:
    return shell_spec
