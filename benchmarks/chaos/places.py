"""Where a round's pictures and results lie: two folders, or two buckets of an S3 in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from imagemill_contract.locations import Location
from tests.helpers.faults.memory_s3 import CREDENTIALS, MemoryS3


class Place(Protocol):
    """A source and an output. Keys are below them."""

    @property
    def source(self) -> Location: ...
    @property
    def output(self) -> Location: ...
    @property
    def environment(self) -> Mapping[str, str]:
        """How a worker comes to it."""

    def fill(self, pictures: Mapping[str, bytes]) -> None: ...
    def files(self, below: str = "") -> dict[str, bytes]:
        """All bodies of the output, by key."""


@dataclass(frozen=True)
class FolderPlace:
    base: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Location:
        return Location.of_folder(PurePosixPath(self.base / "in"))

    @property
    def output(self) -> Location:
        return Location.of_folder(PurePosixPath(self.base / "out"))

    def fill(self, pictures: Mapping[str, bytes]) -> None:
        for name, body in pictures.items():
            path = self.base / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)

    def files(self, below: str = "") -> dict[str, bytes]:
        root = self.base / "out"
        paths = (path for path in sorted(root.rglob("*")) if path.is_file())
        found = {str(path.relative_to(root)): path for path in paths}
        return {key: path.read_bytes() for key, path in found.items() if key.startswith(below)}


@dataclass(frozen=True)
class BucketPlace:
    """`name` tells its buckets from those of other rounds; workers come by `endpoint_url`."""

    s3: MemoryS3
    endpoint_url: str
    name: str

    @property
    def source(self) -> Location:
        return Location(f"s3://in-{self.name}", "photos/")

    @property
    def output(self) -> Location:
        return Location(f"s3://out-{self.name}")

    @property
    def environment(self) -> Mapping[str, str]:
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.endpoint_url}

    def fill(self, pictures: Mapping[str, bytes]) -> None:
        for name, body in pictures.items():
            self.s3.objects[self.source.bucket, self.source.prefix + name] = body

    def put(self, key: str, body: bytes) -> None:
        """Below the output."""
        self.s3.objects[self.output.bucket, self.output.prefix + key] = body

    def clear(self) -> None:
        for place in [place for place in self.s3.objects if place[0].endswith(f"-{self.name}")]:
            del self.s3.objects[place]

    def files(self, below: str = "") -> dict[str, bytes]:
        found = dict(self.s3.objects)
        return {
            key: body
            for (bucket, key), body in sorted(found.items())
            if bucket == self.output.bucket and key.startswith(below)
        }
