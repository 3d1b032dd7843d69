"""An output of runs in a folder or in S3 in memory, for what must do the same in both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3

BUCKET, PREFIX = "output-bucket", "out/"


class Output:
    """Objects by keys below the output.

    Attributes:
        address: Where the worker finds it.
    """

    def __init__(self, address: str, folder: Path | None, s3: MemoryS3 | None) -> None:
        self.address = address
        self._folder, self._s3 = folder, s3

    def put(self, key: str, body: bytes) -> None:
        if self._s3:
            self._s3.objects[BUCKET, PREFIX + key] = body
        elif self._folder:
            path = self._folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)

    def copy(self, folder: Path) -> None:
        """Take in what lies in another folder."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(path.relative_to(folder).as_posix(), path.read_bytes())

    def body(self, key: str) -> bytes:
        return self.bodies()[key]

    def bodies(self) -> dict[str, bytes]:
        if self._s3:
            return {key.removeprefix(PREFIX): body for (_, key), body in self._s3.objects.items()}
        assert self._folder
        found = (path for path in self._folder.rglob("*") if path.is_file())
        return {path.relative_to(self._folder).as_posix(): path.read_bytes() for path in found}

    def keys(self, folder: str = "") -> list[str]:
        return sorted(key for key in self.bodies() if key.startswith(folder))


@contextmanager
def output_of(kind: str, base: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Output]:
    """An empty output: `folder` or `s3`."""
    if kind == "folder":
        monkeypatch.setenv("ALLOW_FILE_URIS", "true")
        folder = base / "kept"
        folder.mkdir()
        yield Output(folder.as_uri(), folder, None)
        return
    with MemoryS3() as s3:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": s3.endpoint_url}.items():
            monkeypatch.setenv(name, value)
        yield Output(f"s3://{BUCKET}/{PREFIX}", None, s3)
