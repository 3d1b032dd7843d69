"""What a dataset holds, in sums that are made range by range and add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from imagemill_dataset.index import Entry, IndexedRun, runs_of
from imagemill_dataset.shards import DatasetShard

_ROWS_AT_ONCE = 2_000


@dataclass(slots=True)
class Sums:
    """What the rows of the index add up to, in a range of keys.

    Attributes:
        living: How many samples of each dataset shard count.
        classes: How many samples have which label and are in which split.
        sources: Addresses of the sources that samples are from.
        last: The run that was started last, of those whose samples count; None without any.
    """

    living: Counter[str] = field(default_factory=Counter)
    classes: Counter[tuple[int, str]] = field(default_factory=Counter)
    sources: set[str] = field(default_factory=set)
    last: IndexedRun | None = None

    def add(self, entries: Iterable[Entry], shards: Mapping[str, DatasetShard]) -> None:
        """Count rows, some of which are held at once."""
        rest = iter(entries)
        while chunk := list(islice(rest, _ROWS_AT_ONCE)):
            self._add(chunk, shards)

    def _add(self, entries: Sequence[Entry], shards: Mapping[str, DatasetShard]) -> None:
        packed = [entry for entry in entries if entry.place]
        places = [entry.place for entry in packed if entry.place]
        self.living.update([place.shard for place in places])
        labelled = [(it.label, it.shard) for it in places if it.label is not None]
        for (label, shard), count in Counter(labelled).items():
            self.classes[label, shards[shard].split] += count
        for run in runs_of(packed).values():
            self.sources.add(run.source)
            self._keep_last(run)

    def merge(self, other: Sums) -> None:
        self.living.update(other.living)
        self.classes.update(other.classes)
        self.sources |= other.sources
        if other.last is not None:
            self._keep_last(other.last)

    def _keep_last(self, run: IndexedRun) -> None:
        last = self.last
        if last is None or (last.started, last.run_id) < (run.started, run.run_id):
            self.last = run

    def to_document(self) -> dict[str, object]:
        return {
            "living": dict(sorted(self.living.items())),
            "classes": [[*name, count] for name, count in sorted(self.classes.items())],
            "sources": sorted(self.sources),
            "last": self.last.to_document() if self.last else None,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Sums:
        last = document["last"]
        return cls(
            Counter(document["living"]),
            Counter({(label, split): count for label, split, count in document["classes"]}),
            set(document["sources"]),
            IndexedRun(**last) if last else None,
        )


@dataclass(frozen=True, slots=True)
class Holdings:
    """A dataset: its sums, and its shards by key, including those with superseded samples only."""

    sums: Sums
    shards: Mapping[str, DatasetShard]

    @classmethod
    def of_entries(cls, entries: Iterable[Entry], shards: Mapping[str, DatasetShard]) -> Holdings:
        sums = Sums()
        sums.add(entries, shards)
        return cls(sums, shards)

    @property
    def living(self) -> Counter[str]:
        """How many samples of each dataset shard still count; shards with none are left out."""
        return self.sums.living

    def superseded_samples(self) -> dict[str, int]:
        """How many samples of a dataset shard no longer count; shards with none are left out."""
        counts = {key: shard.samples - self.living[key] for key, shard in self.shards.items()}
        return {key: count for key, count in counts.items() if count}

    def without(self, keys: Collection[str]) -> Holdings:
        """As if some dataset shards were gone, but for those with samples that count."""
        gone = set(keys) - self.living.keys()
        return Holdings(self.sums, {key: it for key, it in self.shards.items() if key not in gone})
