"""What the owner tells the engine process, as one JSON value in its environment."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

VARIABLE = "IMAGEMILL_ENGINE_SETTINGS"
REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
# The emulator treats these as the account's root user; they open nothing outside of it.
ROOT_ACCESS_KEY_ID = "test"
ROOT_SECRET_ACCESS_KEY = "test"  # noqa: S105


@dataclass(frozen=True, slots=True)
class EngineSettings:
    endpoint_url: str
    listener: int  # file descriptor of the listening socket
    watchdog: int  # file descriptor of the pipe to the watchdog
    token: str
    folder: str
    vcpus: int
    worker_env: Mapping[str, str]
    stop_grace_seconds: float

    def to_env(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls(**json.loads(env[VARIABLE]))

    @property
    def jobs_folder(self) -> Path:
        return Path(self.folder, "jobs")
