"""The index: what earlier runs have done with each object, for the next run to leave out.

Each run adds one part, `index/<started>-<run_id>.jsonl.gz`, so two runs at once never write the
same part. If parts differ about a key, the run that was started last counts. But only a newer
sample or a rejection supersedes a sample, never an attempt that was given up, and never an object
that was changed or gone before it was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from imagemill_contract.document_parts.lines import encode_text
from imagemill_contract.document_parts.pictures import Original
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe_parts.columns import Value
from imagemill_contract.recipe_parts.given import Scores
from imagemill_dataset.parts.json_lines import opened_lines
from imagemill_dataset.parts.row_lines import line_of
from imagemill_dataset.precedence import counts_over
from imagemill_dataset.shards import DatasetShard


@dataclass(frozen=True, slots=True)
class IndexedRun:
    """The run that a row comes from; `tool` is what has carried it out."""

    run_id: str
    started: str
    source: str
    recipe: Mapping[str, Any]
    tool: str = ""

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {
            "run_id": self.run_id,
            "started": self.started,
            "source": self.source,
            "recipe": dict(self.recipe),
        }
        return document | ({"tool": self.tool} if self.tool else {})


class Place(NamedTuple):
    """Where the sample of an object lies, and what it holds.

    Attributes:
        shard: Key of the dataset shard, below the output.
        position: Place among the shard's samples, from 0.
        width: Pixels, of the picture and of its edge map.
        height: Pixels.
        image_bytes: Length of the encoded picture.
        edge_bytes: Length of the encoded edge map.
        sha256: Hexadecimal digest of the encoded picture.
        label: Number of its class, or None.
        given_bytes: Length of what a model has given, and of all smaller sizes; 0 without any.
    """

    shard: str
    position: int
    width: int
    height: int
    image_bytes: int
    edge_bytes: int
    sha256: str
    label: int | None = None
    given_bytes: int = 0


class Entry(NamedTuple):  # of millions: a frozen dataclass takes twice as long to make
    """What is known about one object.

    `reason` says why it was rejected or failed; None if all stages were written. `place` is None
    if the results are files. `columns` has the values of the recipe's columns, in their order.
    `fingerprint` is that of the resized picture, and `original` what it was before, as an outcome
    has them, and `scores`; `bytes` is the length of the object.
    """

    etag: str
    reason: Reason | None
    run: IndexedRun
    is_pruned: bool = False
    place: Place | None = None
    columns: tuple[Value, ...] = ()
    fingerprint: str = ""
    original: Original | None = None
    bytes: int = 0
    scores: Scores | None = None


@dataclass(slots=True)
class Index:
    """All parts together.

    Attributes:
        entries: By key relative to the source.
        shards: Dataset shards by key, including those whose samples are all superseded.
        part_keys: The parts that it was read from.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    shards: dict[str, DatasetShard] = field(default_factory=dict)
    part_keys: list[str] = field(default_factory=list)

    @classmethod
    def of_parts(cls, parts: Iterable[tuple[str, bytes]]) -> Index:
        """Merge parts, given with their keys and in the order of their keys."""
        index = cls()
        for key, body in parts:
            index.part_keys.append(key)
            header, rows = opened_lines("index", body)
            shards = [DatasetShard.from_row(document) for document in header.get("shards", [])]
            index.shards.update((shard.key, shard) for shard in shards)
            for relative, entry in _entries(header, rows, shards):
                known = index.entries.get(relative)
                if known is None or counts_over(entry, known):
                    index.entries[relative] = entry
        index.entries = {key: entry for key, entry in index.entries.items() if not entry.is_pruned}
        return index

    def encode(self) -> bytes:
        return encode_part(self.entries, self.shards.values())

    def living_samples(self) -> Counter[str]:
        """How many samples of each dataset shard still count."""
        return Counter(entry.place.shard for entry in self.entries.values() if entry.place)

    def superseded_samples(self) -> dict[str, int]:
        """How many samples of a dataset shard no longer count; shards with none are left out."""
        living = self.living_samples()
        counts = {key: shard.samples - living[key] for key, shard in self.shards.items()}
        return {key: count for key, count in counts.items() if count}


def encode_part(entries: Mapping[str, Entry], shards: Iterable[DatasetShard] = ()) -> bytes:
    """The document of entries, by key."""
    return encode_rows(sorted(entries.items(), key=itemgetter(0)), shards)


def encode_rows(rows: Sequence[tuple[str, Entry]], shards: Iterable[DatasetShard] = ()) -> bytes:
    """The document of rows, which are in the order of their keys.

    A row refers to its run and shard by their places in the header.
    """
    runs = sorted(runs_of([entry for _, entry in rows]).items())
    run_places = {run_id: place for place, (run_id, _) in enumerate(runs)}
    listed = sorted(shards, key=lambda shard: shard.key)
    shard_places = {shard.key: place for place, shard in enumerate(listed)}
    header: dict[str, object] = {"runs": [run.to_document() for _, run in runs]}
    header |= {"shards": [shard.to_row() for shard in listed]} if listed else {}
    lines = (line_of(key, entry, run_places, shard_places) for key, entry in rows)
    return encode_text("index", header, lines)


def runs_of(entries: Iterable[Entry]) -> dict[str, IndexedRun]:
    """The runs that entries come from, by their ids."""
    runs = {id(entry.run): entry.run for entry in entries}  # of millions: few, and one object each
    return {run.run_id: run for run in runs.values()}


def rows_in(body: bytes) -> Iterator[tuple[str, Entry]]:
    """The rows of a document, one at a time. Raises DocumentError, while they are read, too."""
    header, rows = opened_lines("index", body)
    shards = [DatasetShard.from_row(document) for document in header.get("shards", [])]
    yield from _entries(header, rows, shards)


def _entries(
    header: Mapping[str, Any], rows: Iterable[dict[str, Any]], shards: list[DatasetShard]
) -> Iterable[tuple[str, Entry]]:
    runs = [IndexedRun(**document) for document in header["runs"]]
    keys = [shard.key for shard in shards]
    for row in rows:
        said_of = row.pop("original", None)
        original, length = _original(said_of) if said_of else (None, 0)
        fingerprint = row.pop("fingerprint", "")
        key, etag, run = row["key"], row["etag"], runs[row["run"]]
        if len(row) == 3:  # nearly all whose results are files
            yield key, Entry(etag, None, run, False, None, (), fingerprint, original, length)
            continue
        reason = Reason(row["reason"]) if "reason" in row else None
        place = None
        if "at" in row:
            shard, position = row["at"]
            values = (keys[shard], position, *row["image"], row["sha256"], row.get("label"))
            place = Place._make((*values, row.get("given", 0)))  # TypeError for fewer or more
        said = tuple(row["columns"]) if "columns" in row else ()
        about = fingerprint, original, length, row.get("scores")
        yield key, Entry(etag, reason, run, "pruned" in row, place, said, *about)


def _original(values: Sequence[Any]) -> tuple[Original, int]:
    """What a picture was before, and the length of its object."""
    length, width, height, taken = values
    return Original(width, height, taken), length
