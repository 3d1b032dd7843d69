"""The journal of a job: what its attempts have done, so that no later one does it again.

An attempt writes pages, each whole or not at all. The next attempt, and the plan of the next run,
read all of them. Once the outcome document is there, the journal is no longer needed. If a page
cannot be written, what it would have held comes with the next page.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imagemill_contract import keys
from imagemill_contract.documents import Shard, decode_journal, encode_journal
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.reporting.usage import Usage, usage_of_attempts
from imagemill_dataset.shards import DatasetShard
from imagemill_worker.stores.store import Store

# Each row stands for two requests, so pages are at most one request in a hundred.
_LEAST_ROWS, _SECONDS = 50, 10.0
# In a folder a page is just a file, so it may be written this soon: a stopped run loses little.
_LEAST_ROWS_IN_FOLDER, _SECONDS_IN_FOLDER = 1, 2.0
# It takes seconds to know that a page cannot be read, and what it says can be done again.
_MOST_MISSED = 3


@dataclass(slots=True)
class Journal:
    """The pages of one job.

    Attributes:
        rows: Outcomes that earlier attempts have noted, by the source object's key.
        shards: Dataset shards that they have written and read back, by key.
        used: What earlier attempts have used.
        usage: Says what this attempt has used so far.
    """

    store: Store
    shard: Shard
    stage: Stage
    rows: Mapping[str, Outcome] = field(default_factory=dict)
    shards: Mapping[str, DatasetShard] = field(default_factory=dict)
    used: Usage = field(default_factory=Usage)
    usage: Callable[[], Usage] = Usage
    _attempt: str = field(default_factory=lambda: os.urandom(4).hex())
    _pages: list[str] = field(default_factory=list)
    _unwritten: list[Outcome] = field(default_factory=list)
    _unwritten_shards: list[DatasetShard] = field(default_factory=list)
    _written_at: float = field(default_factory=time.monotonic)

    @classmethod
    def read(cls, store: Store, shard: Shard, stage: Stage) -> Journal:
        """Read all pages that can be read. Raises as `Store.find_dispensable` does."""
        folder = shard.output.prefix + keys.journal_folder(shard.run_id, stage, shard.shard_id)
        rows: dict[str, Outcome] = {}
        shards: dict[str, DatasetShard] = {}
        headers: list[Mapping[str, object]] = []
        pages, missed = store.keys(folder), 0
        for page in pages:
            body = store.find_dispensable(page)
            if body is None:  # it cannot be read, or an attempt taken for dead has removed it
                missed += 1
                if missed == _MOST_MISSED:
                    break
                continue
            header, outcomes = _decoded(body)
            headers.append(header)
            rows |= {row.key: row for row in outcomes if _is_lasting(row)}
            shards |= {item.key: item for item in _dataset_shards(header)}
        used = usage_of_attempts(headers)
        return cls(store, shard, stage, rows, shards, used, _pages=pages)

    def add(self, outcome: Outcome) -> None:
        """Note what became of an object."""
        self._unwritten.append(outcome)

    def write_when_due(self) -> None:
        in_folder = self.shard.output.is_file
        least = _LEAST_ROWS_IN_FOLDER if in_folder else _LEAST_ROWS
        seconds = _SECONDS_IN_FOLDER if in_folder else _SECONDS
        is_due = time.monotonic() - self._written_at >= seconds
        if is_due and len(self._unwritten) >= least:
            self.write()

    def write(self, shards: Iterable[DatasetShard] = (), last_words: str = "") -> None:
        """Try to write a page with the rows since the last one.

        `shards` are dataset shards that were read back; `last_words` say why the attempt ends.
        """
        self._unwritten_shards += shards
        listed = [item.to_row() for item in self._unwritten_shards]
        if not (self._unwritten or listed or last_words):
            return
        header: dict[str, object] = {
            "run_id": self.shard.run_id,
            "stage": str(self.stage),
            "shard_id": self.shard.shard_id,
            "attempt": self._attempt,
            "usage": self.usage().to_document(),
        }
        if listed:
            header["shards"] = listed
        if last_words:
            header["last_words"] = last_words
        self._written_at = time.monotonic()
        # an attempt that was wrongly taken for dead never writes the same page as its successor
        page = f"{len(self._pages):06d}-{os.urandom(4).hex()}"
        key = self.shard.output.prefix + keys.journal_key(
            self.shard.run_id, self.stage, self.shard.shard_id, page
        )
        if self.store.try_write_document(key, encode_journal(header, self._unwritten)):
            self._pages.append(key)
            self._unwritten, self._unwritten_shards = [], []

    def remove(self) -> None:
        """Remove the pages in a folder; in a bucket they expire by themselves."""
        if self.shard.output.is_file:
            self.store.remove(self._pages)


def _decoded(body: bytes) -> tuple[Mapping[str, object], Sequence[Outcome]]:
    """A page that cannot be read, of another version, is as good as none."""
    try:
        return decode_journal(body)
    except ContractError:
        return {}, []


def _is_lasting(row: Outcome) -> bool:
    """Whether another attempt would have the same outcome."""
    if row.status is Status.REJECTED:
        return row.reason not in (Reason.GONE, Reason.CHANGED)
    return row.status is Status.WRITTEN


def _dataset_shards(header: Mapping[str, object]) -> list[DatasetShard]:
    rows = header.get("shards", [])
    return [DatasetShard.from_row(row) for row in rows] if isinstance(rows, list) else []
