"""Reads from the outcomes what the jobs of a run have packed, and checks it against the shards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from operator import attrgetter
from typing import Any

from imagemill_app.results.job_record import JobRecord
from imagemill_app.stores import length_of
from imagemill_contract.documents import Shard
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import relative_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Status
from imagemill_dataset.index import Place
from imagemill_dataset.names import class_of
from imagemill_dataset.shards import DatasetShard

LOOKUPS_AT_ONCE = 32

_OF_PACKED = attrgetter("key", "status", "output_key", "position", "output_bytes")
_OF_PICTURE = attrgetter("status", "output_bytes", "width", "height", "sha256")


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


def sample_places(shard: Shard, stages: Sequence[Sequence[Outcome]]) -> dict[str, Place]:
    """The place of each packed object of a work shard, by its key.

    `stages` are the outcomes of the same objects in each stage, of which the first has made the
    pictures and the last has packed them.

    Raises DocumentError for an object that is packed, but nobody says where.
    """
    return dict(_placed(shard, stages))


def check_lengths(output: Location, shards: Sequence[DatasetShard]) -> None:
    """Raises DocumentError if a dataset shard is missing or has another length than was written."""
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        lengths = pool.map(lambda shard: length_of(output, shard.key), shards)
        for shard, length in zip(shards, lengths, strict=True):
            if length != shard.bytes:
                found = "is not there" if length is None else f"has {length} bytes"
                raise DocumentError(f"{shard.key} {found}; {shard.bytes} bytes were written.")


def _placed(shard: Shard, stages: Sequence[Sequence[Outcome]]) -> Iterator[tuple[str, Place]]:
    """The packed objects of a work shard, by whole keys. Raises DocumentError for one nowhere."""
    shard_keys: dict[str, str] = {}  # of dataset shards, by whole keys: few
    labels, prefix, written = shard.labels, shard.source.prefix, Status.WRITTEN
    pictures, last = map(_OF_PICTURE, stages[0]), map(_OF_PACKED, stages[-1])
    for picture, sample, given in zip(pictures, last, _given(stages), strict=False):
        key, status, whole_key, position, edge_bytes = sample
        if status is not written:
            continue
        status, image_bytes, width, height, sha256 = picture
        if status is not written or whole_key is None or position is None:
            raise DocumentError(f"{key} is packed, but its outcomes do not say where.")
        if whole_key not in shard_keys:
            shard_keys[whole_key] = relative_key(whole_key, shard.output.prefix)
        at = shard_keys[whole_key]
        label = labels.get(class_of(relative_key(key, prefix)) or "") if labels else None
        yield key, Place(at, position, width, height, image_bytes, edge_bytes, sha256, label, given)


def _given(stages: Sequence[Sequence[Outcome]]) -> Iterable[int]:
    """Bytes of what else is in each sample: what stages between gave, and smaller sizes."""
    if len(stages) == 2 and not any(map(attrgetter("smaller"), stages[0])):
        return repeat(0)
    return [
        sum(outcome.total_bytes for outcome in (picture, *between, last))
        - (picture.output_bytes + last.output_bytes)
        for picture, *between, last in zip(*stages, strict=True)
    ]


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
