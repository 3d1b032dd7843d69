"""The index: what earlier runs have made of each object, for the next run to leave out.

Each run adds one part, `index/<started>-<run_id>.jsonl.gz`, so that two runs at once never write
the same one. Where parts say different things of a key, the run that was started last counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill_app.stores import list_keys, read_bytes, remove, write_bytes
from imagemill_contract.documents import decode_lines, encode_lines
from imagemill_contract.keys import INDEX, index_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason, Status

# A plan reads all parts: so many are read in a second or two, and more are merged into one.
MAX_PARTS = 64

# Rejections that say nothing lasting of the picture: another attempt may end otherwise.
PASSING = frozenset({Reason.GONE, Reason.CHANGED, Reason.DECODER_TIMEOUT, Reason.DECODER_CRASHED})


@dataclass(frozen=True, slots=True)
class IndexedRun:
    """The run that a row comes from."""

    run_id: str
    started: str
    source: str
    recipe: Mapping[str, Any]

    def to_document(self) -> dict[str, object]:
        return {
            "run_id": self.run_id,
            "started": self.started,
            "source": self.source,
            "recipe": dict(self.recipe),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one object, by its key relative to the source.

    `reason` is that of the rejection or failure; None when both stages were written.
    """

    etag: str
    reason: Reason | None
    run: IndexedRun
    is_pruned: bool = False


@dataclass(slots=True)
class Index:
    """Entries by relative key, and the keys of the parts that they were read from."""

    entries: dict[str, Entry] = field(default_factory=dict)
    part_keys: list[str] = field(default_factory=list)


def read_index(output: Location) -> Index:
    """All parts, merged."""
    index = Index(part_keys=sorted(list_keys(output, INDEX)))
    for key in index.part_keys:
        for relative, entry in _entries_in(read_bytes(output, key)):
            known = index.entries.get(relative)
            if known is None or known.run.started <= entry.run.started:
                index.entries[relative] = entry
    index.entries = {key: entry for key, entry in index.entries.items() if not entry.is_pruned}
    return index


def write_index_part(output: Location, run: IndexedRun, entries: Mapping[str, Entry]) -> None:
    """Add what a run has made; a run without objects adds nothing."""
    if entries:
        write_bytes(output, index_key(run.started, run.run_id), encoded(entries))


def merge_parts(output: Location) -> None:
    """Put many parts into one; beside other runs, too: rows are written before parts go."""
    index = read_index(output)
    if len(index.part_keys) <= MAX_PARTS or not index.entries:
        return
    last = max((entry.run for entry in index.entries.values()), key=lambda run: run.started)
    merged_key = index_key(last.started, f"{last.run_id[:70]}-merged")
    write_bytes(output, merged_key, encoded(index.entries))
    remove(output, [key for key in index.part_keys if key != merged_key])


def encoded(entries: Mapping[str, Entry]) -> bytes:
    """The document of entries; a row names its run by its place in the header."""
    runs = sorted({entry.run.run_id: entry.run for entry in entries.values()}.items())
    places = {run_id: place for place, (run_id, _) in enumerate(runs)}
    header = {"runs": [run.to_document() for _, run in runs]}
    return encode_lines(
        "index", header, (_row(key, entries[key], places) for key in sorted(entries))
    )


def _row(key: str, entry: Entry, places: Mapping[str, int]) -> dict[str, object]:
    row: dict[str, object] = {"key": key, "etag": entry.etag, "run": places[entry.run.run_id]}
    if entry.reason:
        row["reason"] = str(entry.reason)
    if entry.is_pruned:
        row["pruned"] = True
    return row


def _entries_in(body: bytes) -> Iterable[tuple[str, Entry]]:
    header, rows = decode_lines("index", body)
    documents: Any = header["runs"]
    runs = [IndexedRun(**document) for document in documents]
    for row in rows:
        reason = Reason(str(row["reason"])) if "reason" in row else None
        place: Any = row["run"]
        yield str(row["key"]), Entry(str(row["etag"]), reason, runs[place], "pruned" in row)


def final_reason(stages: Iterable[tuple[Status, Reason | None]]) -> Reason | None:
    """Why an object is not done: the reason of its first stage that was not written."""
    for status, reason in stages:
        if status is not Status.WRITTEN:
            return reason
    return None
