"""An executor by itself: real processes, no emulator."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.host import Host
from imagemill_engine.batch.job import Job, StartError
from imagemill_engine.batch.log_stream import LogEvent
from imagemill_engine.batch.spec import JobSpec, LogTarget, Placement

PATIENCE_SECONDS = 240.0


class RememberedLogs:
    """Keeps the lines of all jobs; `fault` is raised instead, when there is one."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.puts = 0
        self.fault: Exception | None = None

    def open(self, target: LogTarget, stream: str) -> None:
        if target.group == "missing":
            raise StartError("no log stream in missing")

    def put(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        if self.fault is not None:
            raise self.fault
        self.puts += 1
        self.text += [line for _, line in events]


class Groups:
    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.alive: set[int] = set()

    def started(self, group: int) -> None:
        self.seen.add(group)
        self.alive.add(group)


class Gate:
    """Holds jobs back until `open`: put `wait` into their scripts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.wait = f"until test -e {file}; do sleep 0.01; done"

    def open(self) -> None:
        self._file.touch()


@pytest.fixture
def logs() -> RememberedLogs:
    return RememberedLogs()


@pytest.fixture
def groups() -> Groups:
    return Groups()


@pytest.fixture
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(tmp_path_factory.mktemp("gate") / "open")


def credentials(role: str, _session: str) -> Mapping[str, str]:
    if role != "role":
        raise StartError("the role cannot be assumed")
    return {"ROLE": role}


@pytest.fixture
def start_executor(
    tmp_path: Path, logs: RememberedLogs, groups: Groups
) -> Callable[[float], Executor]:
    def start(stop_grace_seconds: float) -> Executor:
        return Executor(
            Host(
                vcpus=2,
                jobs_folder=tmp_path,
                base_env={"PATH": os.environ["PATH"], "BASE": "1", "SHARED": "base"},
                credentials=credentials,
                logs=logs,
                job_arn=lambda job_id: f"arn:job/{job_id}",
                stop_grace_seconds=stop_grace_seconds,
                group_started=groups.started,
                group_ended=groups.alive.discard,
            )
        )

    return start


@pytest.fixture
def executor(start_executor: Callable[[float], Executor]) -> Executor:
    return start_executor(PATIENCE_SECONDS)


def shell_spec(script: str = "true", **changes: Any) -> JobSpec:
    members: dict[str, Any] = {
        "job_name": "one",
        "definition_arn": "arn:definition:1",
        "placement": Placement("arn:queue", "queue", "environment", changes.pop("room", 8)),
        "command": ("sh", "-c", script),
        "environment": {},
        "parameters": {},
        "vcpus": 1,
        "memory_mib": 100,
        "image": "",
        "job_role_arn": "",
        "execution_role_arn": "",
        "log": LogTarget("group", "prefix"),
    }
    return JobSpec(**members | changes)


@pytest.fixture
def spec() -> Callable[..., JobSpec]:
    return shell_spec


@pytest.fixture
def ended() -> Callable[[Job], dict[str, Any]]:
    """Wait for the end of a job; gives its description."""

    def described(job: Job) -> dict[str, Any]:
        assert job.done.wait(PATIENCE_SECONDS), f"{job.status} after {PATIENCE_SECONDS:.0f} s"
        return job.describe()

    return described


@pytest.fixture
def stopped(executor: Executor, ended: Any) -> Callable[[Job], None]:
    """End a job that would run on after the test."""

    def stop(job: Job) -> None:
        executor.terminate(job.id, "end of test")
        ended(job)

    return stop
