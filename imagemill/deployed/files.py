"""Where the documents of runs lie: a bucket, or a folder of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from botocore.exceptions import ClientError

from imagemill.deployed.clients import plainly
from imagemill.errors import UsageError
from imagemill.paths import escaped, path_errors
from imagemill_contract.keys import RUNS

_ABSENT = ("NoSuchKey", "404", "NotFound")


class RunFiles(Protocol):
    """What runs have left."""

    def read(self, key: str) -> bytes | None:
        """The content of an object; None if there is none."""

    def keys(self, prefix: str) -> list[str]:
        """Keys that start so, sorted."""

    def run_ids(self) -> list[str]:
        """Runs that have left anything."""

    def place_of(self, key: str) -> str:
        """What a person calls an object: its path or address."""


@dataclass(frozen=True, slots=True)
class BucketFiles:
    """The output bucket of a stack. `s3` is a client."""

    s3: Any
    bucket: str

    def read(self, key: str) -> bytes | None:
        with plainly():
            try:
                body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error.response["Error"].get("Code") in _ABSENT:
                    return None
                raise
        return body

    def keys(self, prefix: str) -> list[str]:
        with plainly():
            pages = self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix
            )
            return sorted(item["Key"] for page in pages for item in page.get("Contents", ()))

    def run_ids(self) -> list[str]:
        with plainly():
            pages = self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=RUNS, Delimiter="/"
            )
            found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ())]
        return [prefix.removeprefix(RUNS).rstrip("/") for prefix in found]

    def place_of(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """A folder that `imagemill run` has written to."""

    folder: Path

    def read(self, key: str) -> bytes | None:
        with path_errors("--out", str(self.folder)):
            try:
                return (self.folder / key).read_bytes()
            except FileNotFoundError:
                return None

    def keys(self, prefix: str) -> list[str]:
        top = self.folder / PurePosixPath(prefix + "x").parent
        paths = (path for path in top.rglob("*") if path.is_file())
        found = (path.relative_to(self.folder).as_posix() for path in paths)
        return sorted(key for key in found if key.startswith(prefix))

    def run_ids(self) -> list[str]:
        return sorted(path.name for path in (self.folder / RUNS).glob("*") if path.is_dir())

    def run_named(self, run_id: str | None) -> str:
        """A run that has left something; None means the last. Raises UsageError without one."""
        paths = {path.name: path for path in (self.folder / RUNS).glob("*") if path.is_dir()}
        folder = escaped(str(self.folder))
        if not paths:
            raise UsageError(f'--out: "{folder}" has no results of a run.')
        if run_id is None:
            return max(paths.values(), key=lambda path: path.stat().st_mtime).name
        if run_id not in paths:
            raise UsageError(
                f'RUN: there is no run "{run_id}" in "{folder}". `imagemill runs --out {folder}` '
                "lists those there are."
            )
        return run_id

    def place_of(self, key: str) -> str:
        return escaped(str(self.folder / key))


def folder_files(out: str) -> FolderFiles:
    """The results in a folder. Raises UsageError if there are none of any run."""
    with path_errors("--out", out):
        folder = Path(out).resolve()
        if not (folder / RUNS).is_dir():
            raise UsageError(f'--out: "{escaped(out)}" has no results of a run.')
    return FolderFiles(folder)


def check_is_no_folder(run_id: str | None) -> None:
    """Raises UsageError for a folder where the name of a run belongs."""
    if run_id and Path(run_id).is_dir():
        folder = escaped(run_id)
        raise UsageError(f'RUN: "{folder}" is a folder. For the results in it: --out {folder}')
