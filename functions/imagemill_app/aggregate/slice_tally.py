"""What is known of a slice after it is aggregated: counts, its dataset shards, and its leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.slice_results import SliceResults
from imagemill_app.collector import uncollected
from imagemill_app.results.packed_samples import PackedShards, check_lengths
from imagemill_app.stores import StoreAt, read_bytes, write_bytes
from imagemill_app.tally.problems import MAX_LISTED
from imagemill_app.tally.tally import Tally
from imagemill_contract.index_keys import index_key, leaves_stem
from imagemill_contract.keys import tally_key
from imagemill_contract.locations import Location
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_dataset.parts.part import Leaf
from imagemill_dataset.parts.written_part import written_leaves
from imagemill_dataset.tables.drafts import TableDraft

VERSION = 1


@dataclass(slots=True)
class SliceTally:
    """The tally of a slice, or of some.

    Attributes:
        tally: Outcomes, counted.
        packed: Dataset shards, and how many of them were read back.
        deleted: Relative keys of sources that are gone, at most `MAX_LISTED`.
        leaves: Where the rows of the index are, in the order of keys.
        tables: Drafts of the table of all pictures, with the same rows.
    """

    tally: Tally
    packed: PackedShards = field(default_factory=PackedShards)
    deleted: list[str] = field(default_factory=list)
    leaves: Sequence[Leaf] = ()
    tables: list[TableDraft] = field(default_factory=list)

    def merge(self, other: SliceTally) -> None:
        """Add what is known of a later slice, but for its leaves."""
        self.tables.extend(other.tables)
        self.tally.merge(other.tally)
        self.packed.merge(other.packed)
        self.deleted = [*self.deleted, *other.deleted][:MAX_LISTED]

    def to_document(self) -> dict[str, object]:
        return {
            "v": VERSION,
            "tally": self.tally.to_document(),
            "packed": self.packed.to_document(),
            "deleted": list(self.deleted),
            "leaves": [asdict(leaf) for leaf in self.leaves],
            "tables": [draft.to_document() for draft in self.tables],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> SliceTally:
        return cls(
            Tally.from_document(document["tally"]),
            PackedShards.from_document(document["packed"]),
            document["deleted"],
            [Leaf(**leaf) for leaf in document["leaves"]],
            list(map(TableDraft.from_document, document.get("tables", ()))),
        )


@uncollected
def aggregate_slice(
    run: Mapping[str, Any],
    number: int,
    failures: Mapping[str, JobFailure],
    used: Callable[[], LambdaUsage] = LambdaUsage,
) -> SliceTally:
    """Read the outcomes of a slice; write its leaves of the index, and then its tally.

    It can be called again at any point, because it writes the same for the same outcomes.

    Raises DocumentError if an object has no outcome, or two, or a sample is not where it should be.
    """
    results = SliceResults.begun(run, number, failures)
    indexed, output = results.run, results.output
    stem = leaves_stem(index_key(indexed.started, indexed.run_id))
    store = StoreAt(output)
    rows, tables = results.drafted_rows(run, store)
    leaves = list(written_leaves(store, stem, rows, results.packed.by_key, {}))
    check_lengths(output, results.packed.shards)
    results.tally.functions = used()
    tally = SliceTally(results.tally, results.packed, results.deleted, leaves, tables)
    body = json.dumps(tally.to_document(), ensure_ascii=False).encode()
    write_bytes(output, tally_key(indexed.run_id, number), body)
    return tally


def read_tally(output: Location, run_id: str, number: int) -> SliceTally:
    """The tally of a slice. Raises FileNotFoundError if it is not aggregated."""
    return SliceTally.from_document(json.loads(read_bytes(output, tally_key(run_id, number))))
