"""What the owner tells the engine process, as one JSON value in its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

VARIABLE = "IMAGEMILL_ENGINE_SETTINGS"
REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
# The emulator treats these as the account's root user; they open nothing outside it.
ROOT_ACCESS_KEY_ID = "test"
ROOT_SECRET_ACCESS_KEY = "test"  # noqa: S105 # opens nothing


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Settings of one engine process.

    Attributes:
        endpoint_url: Where the engine serves, such as http://127.0.0.1:4566.
        listener: File descriptor of the listening socket.
        watchdog: File descriptor of the pipe to the watchdog.
        token: Marks every process of this engine in its environment.
        folder: Everything the engine writes; removed at its end.
        vcpus: vCPUs of jobs that run at a time.
        worker_env: Goes into the environment of every job.
        stop_grace_seconds: Between SIGTERM and SIGKILL of a job.
        warm_functions: Logical ids of functions whose processes start when they are created.
    """

    endpoint_url: str
    listener: int
    watchdog: int
    token: str
    folder: str
    vcpus: int
    worker_env: Mapping[str, str]
    stop_grace_seconds: float
    warm_functions: Sequence[str] = ()

    def to_env(self) -> str:
        """The value of `VARIABLE`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read back what `to_env` has written."""
        return cls(**json.loads(env[VARIABLE]))

    @property
    def jobs_folder(self) -> Path:
        """Holds a working folder for each job that runs."""
        return Path(self.folder, "jobs")
