"""One part of the index: a document with its rows, or with the names of leaves that have them.

A leaf is a Parquet file with rows. It has at most `LEAF_ROWS` of them; the part says which
keys are the first and the last of each leaf, so that a reader of a range opens only some.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from imagemill_contract.document_parts.lines import encode_lines
from imagemill_dataset.index import Entry, IndexedRun, rows_in
from imagemill_dataset.parts.json_lines import opened_lines
from imagemill_dataset.parts.leaf_rows import rows_in_leaf
from imagemill_dataset.shards import DatasetShard

Row = tuple[str, Entry]
Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where rows of a part are: the leaf's key below the output, its first and last key."""

    key: str
    first: str
    last: str
    rows: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part whose header is read.

    Attributes:
        key: Its key below the output.
        body: The document. Without leaves it has the rows, too.
        runs: The runs that it has rows of.
        shards: Dataset shards of these runs, including those whose samples are all superseded.
        leaves: In the order of their keys; none if the rows are in the document itself.
    """

    key: str
    body: bytes
    runs: Sequence[IndexedRun]
    shards: Sequence[DatasetShard]
    leaves: Sequence[Leaf]

    @classmethod
    def opened(cls, key: str, body: bytes) -> Part:
        """Raises DocumentError for a document that is no part."""
        header, _ = opened_lines("index", body)
        return cls(
            key,
            body,
            [IndexedRun(**document) for document in header["runs"]],
            [DatasetShard.from_row(row) for row in header.get("shards", [])],
            [Leaf(**document) for document in header.get("leaves", [])],
        )

    def rows(self, read: Read, after: str, until: str | None) -> Iterator[Row]:
        """Rows with keys after `after` and up to `until` (None: all that follow), in order.

        Raises DocumentError, and FileNotFoundError for a leaf that is there no more.
        """
        if not self.leaves:
            yield from _in_range(rows_in(self.body), after, until)
            return
        for leaf in self.leaves:
            if leaf.first > after and (until is None or leaf.last <= until):
                yield from rows_in_leaf(leaf.key, read(leaf.key))
            elif leaf.last > after and (until is None or leaf.first <= until):
                yield from _in_range(rows_in_leaf(leaf.key, read(leaf.key)), after, until)

    def rows_of(self, read: Read, keys: Sequence[str]) -> Iterator[Row]:
        """Rows with these keys, which are in order. Opens only leaves that may have one."""
        wanted = frozenset(keys)
        if not self.leaves:
            yield from _among(rows_in(self.body), wanted)
            return
        for leaf in self.leaves:
            at = bisect_right(keys, leaf.first)
            if leaf.first in wanted or (at < len(keys) and keys[at] <= leaf.last):
                yield from _among(rows_in_leaf(leaf.key, read(leaf.key)), wanted)


def leaves_document(
    runs: Iterable[IndexedRun], shards: Iterable[DatasetShard], leaves: Iterable[Leaf]
) -> bytes:
    """The document of a part whose rows are in leaves."""
    by_id = {run.run_id: run.to_document() for run in runs}
    header: dict[str, object] = {"runs": [by_id[run_id] for run_id in sorted(by_id)]}
    if listed := sorted(shards, key=lambda shard: shard.key):
        header["shards"] = [shard.to_row() for shard in listed]
    header["leaves"] = [asdict(leaf) for leaf in leaves]
    return encode_lines("index", header, ())


def _in_range(rows: Iterator[Row], after: str, until: str | None) -> Iterator[Row]:
    for row in rows:
        if row[0] <= after:
            continue
        if until is not None and row[0] > until:
            return
        yield row


def _among(rows: Iterator[Row], wanted: frozenset[str]) -> Iterator[Row]:
    return (row for row in rows if row[0] in wanted)
