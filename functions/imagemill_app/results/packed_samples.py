"""Reads from the outcomes what the jobs of a run have packed, and checks it against the shards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from imagemill_app.results.job_record import JobRecord
from imagemill_app.stores import length_of
from imagemill_contract.documents import Shard
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import relative_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Status
from imagemill_dataset.index import Place
from imagemill_dataset.names import class_of
from imagemill_dataset.shards import DatasetShard

LOOKUPS_AT_ONCE = 32


@dataclass(slots=True)
class PackedShards:
    """The dataset shards of a run, and how many of them and their samples were read back."""

    by_key: dict[str, DatasetShard] = field(default_factory=dict)
    verified_shards: int = 0
    verified_samples: int = 0

    @property
    def shards(self) -> list[DatasetShard]:
        return list(self.by_key.values())

    def add(self, job: JobRecord) -> None:
        """Take in what a job has packed."""
        self.by_key.update((shard.key, shard) for shard in job.dataset_shards)
        self.verified_shards += job.verified.get("shards", 0)
        self.verified_samples += job.verified.get("samples", 0)

    def merge(self, other: PackedShards) -> None:
        self.by_key.update(other.by_key)
        self.verified_shards += other.verified_shards
        self.verified_samples += other.verified_samples

    def to_document(self) -> dict[str, object]:
        return {
            "shards": [shard.to_row() for shard in self.shards],
            "verified_shards": self.verified_shards,
            "verified_samples": self.verified_samples,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PackedShards:
        shards = [DatasetShard.from_row(row) for row in document["shards"]]
        by_key = {shard.key: shard for shard in shards}
        return cls(by_key, document["verified_shards"], document["verified_samples"])


def sample_places(shard: Shard, stages: Sequence[Any]) -> list[Place | None]:
    """The place of each object of a work shard, in their order; None for one that is not packed.

    `stages` are the columns of the outcomes of the same objects in each stage, of which the first
    has made the pictures and the last has packed them. Column by column takes half of the time of
    row by row.

    Raises DocumentError for an object that is packed, but nobody says where.
    """
    pictures, samples = stages[0], stages[-1]
    _check_said(pictures, samples)
    prefix = shard.output.prefix
    names = {key: relative_key(key, prefix) for key in set(samples.output_key) if key}  # few
    columns = (
        map(names.get, samples.output_key),
        samples.position,
        pictures.width,
        pictures.height,
        pictures.output_bytes,
        samples.output_bytes,
        pictures.sha256,
        _labels(shard, samples.key),
        _given(stages),
    )
    places = map(tuple.__new__, repeat(Place), zip(*columns, strict=False))
    if samples.status.count(Status.WRITTEN) == len(samples.status):
        return list(places)
    rows = zip(places, samples.status, strict=True)
    return [place if status is Status.WRITTEN else None for place, status in rows]


def check_lengths(output: Location, shards: Sequence[DatasetShard]) -> None:
    """Raises DocumentError if a dataset shard is missing or has another length than was written."""
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        lengths = pool.map(lambda shard: length_of(output, shard.key), shards)
        for shard, length in zip(shards, lengths, strict=True):
            if length != shard.bytes:
                found = "is not there" if length is None else f"has {length} bytes"
                raise DocumentError(f"{shard.key} {found}; {shard.bytes} bytes were written.")


def _check_said(pictures: Any, samples: Any) -> None:
    """Raises DocumentError for an object that is packed, but nobody says where."""
    if pictures.status.count(Status.WRITTEN) == len(pictures.status) and not (
        samples.output_key.count(None) or samples.position.count(None)
    ):
        return
    said = pictures.status, samples.status, samples.output_key, samples.position
    for key, picture, sample, whole_key, position in zip(samples.key, *said, strict=True):
        is_placed = picture is Status.WRITTEN and whole_key is not None and position is not None
        if sample is Status.WRITTEN and not is_placed:
            raise DocumentError(f"{key} is packed, but its outcomes do not say where.")


def _labels(shard: Shard, keys: Sequence[str]) -> Iterable[int | None]:
    """The number of each object's class."""
    if not shard.labels:
        return repeat(None)
    prefix = shard.source.prefix
    return [shard.labels.get(class_of(relative_key(key, prefix)) or "") for key in keys]


def _given(stages: Sequence[Any]) -> Iterable[int]:
    """Bytes of what else is in each sample: what stages between gave, and all smaller sizes."""
    given = [stage.output_bytes for stage in stages[1:-1]]
    smaller = [stage.smaller for stage in stages if any(stage.smaller)]
    if not given and not smaller:
        return repeat(0)
    given += [[sum(it.output_bytes for it in sizes) for sizes in of_stage] for of_stage in smaller]
    return map(sum, zip(*given, strict=True))


def check_samples(shards: Iterable[DatasetShard], places: Iterable[Place]) -> None:
    """Raises DocumentError unless dataset shards hold what names them, each in its place.

    `places` are those of all objects of the work shard that has packed them.
    """
    positions: dict[str, list[int]] = defaultdict(list)
    for place in places:
        positions[place.shard].append(place.position)
    for shard in shards:
        found = sorted(positions.pop(shard.key, []))
        if found != list(range(shard.samples)):
            raise DocumentError(
                f"{shard.key} has {shard.samples} samples, but {len(found)} objects name it, "
                "or two name the same position."
            )
    if positions:
        raise DocumentError(f"Objects name {min(positions)}, but no job says that it wrote it.")
