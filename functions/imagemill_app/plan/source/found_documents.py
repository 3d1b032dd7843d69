"""Lists of the objects of a range, for a source that is not listed again by whoever plans it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imagemill_app.plan.source.slices import KeyRange
from imagemill_app.stores import read_bytes, write_bytes
from imagemill_contract.document_parts.lines import decode_lines, encode_lines
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import found_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class FoundObjects:
    """What lies in a range of keys.

    Attributes:
        objects: What jobs can be given, in key order.
        refused: Outcomes of other objects.
        other_keys: Keys of what else is there; None if the source was not listed whole.
    """

    objects: Sequence[SourceObject]
    refused: Sequence[Outcome]
    other_keys: Sequence[str] | None

    def within(self, keys: KeyRange) -> FoundObjects:
        others = self.other_keys
        return FoundObjects(
            [item for item in self.objects if keys.has(item.key)],
            [outcome for outcome in self.refused if keys.has(outcome.key)],
            None if others is None else [key for key in others if keys.has(key)],
        )


def write_found(output: Location, run_id: str, number: int, found: FoundObjects) -> None:
    """Write the document of a range."""
    header: dict[str, object] = {"is_whole": found.other_keys is not None}
    body = encode_lines("found", header, _rows(found))
    write_bytes(output, found_key(run_id, number), body)


def read_found(output: Location, run_id: str, number: int) -> FoundObjects:
    """What was found in a range. Raises FileNotFoundError, or DocumentError."""
    header, rows = decode_lines("found", read_bytes(output, found_key(run_id, number)))
    objects, refused, others = [], [], []
    for row in rows:
        if "status" in row:
            refused.append(Outcome.from_row(row))
        elif "etag" in row:
            objects.append(SourceObject.from_row(row))
        else:
            others.append(str(row["key"]))
    return FoundObjects(objects, refused, others if header["is_whole"] else None)


def _rows(found: FoundObjects) -> Iterable[Mapping[str, object]]:
    yield from (item.to_row() for item in found.objects)
    yield from (outcome.to_row() for outcome in found.refused)
    yield from ({"key": key} for key in found.other_keys or ())
