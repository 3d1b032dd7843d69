"""The documents of a run: compressed JSON lines with a version.

A document's first line is its header, `{"v": 1, "kind": ...}`; every further line is a row. The
same content always gives the same bytes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, cast

from imagemill_contract.errors import DocumentError
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.columns import Value

SCHEMA_VERSION = 1

Row = Mapping[str, object]

# Hashes cannot be made smaller: the higher levels take three times as long for 5 % less.
_LEVEL, _GZIP = 1, 31
# Parsed and packed at once: more would wait in memory that no cache holds.
_BLOCK_BYTES, _LINES_AT_ONCE = 1 << 17, 500
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class SourceObject(NamedTuple):  # of millions: a frozen dataclass takes twice as long to make
    """An object as it was when it was listed, which is its identity for the rest of the run.

    `etag` has no quotes around it, unlike in HTTP. `columns` are values of the recipe's columns.
    """

    key: str
    etag: str
    bytes: int
    columns: tuple[Value, ...] = ()

    def to_row(self) -> dict[str, object]:
        row: dict[str, object] = {"key": self.key, "etag": self.etag, "bytes": self.bytes}
        return row | {"columns": self.columns} if self.columns else row

    @classmethod
    def from_row(cls, row: Row) -> SourceObject:
        """Raises DocumentError for a row of another shape."""
        key, etag, size = row.get("key"), row.get("etag"), row.get("bytes")
        if isinstance(key, str) and isinstance(etag, str) and isinstance(size, int):
            return cls(key, etag, size, tuple(cast("Sequence[Value]", row.get("columns", ()))))
        raise DocumentError(f"Object row {row!r} must have key, etag and bytes.")


@dataclass(frozen=True, slots=True)
class Shard:
    """The objects that one job of a stage handles, with everything that the job needs to know.

    `labels` has the number of each class among the objects, if the recipe wants labels. With
    `verify_source` what is read is compared with the MD5 that its ETag is, where it is one.
    `splits` has the splits, by keys, of objects whose split does not depend on their name alone.
    """

    run_id: str
    shard_id: str
    source: Location
    output: Location
    recipe: Recipe
    objects: Sequence[SourceObject]
    labels: Mapping[str, int] = field(default_factory=dict)
    verify_source: bool = False
    splits: Mapping[str, str] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        return sum(item.bytes for item in self.objects)

    def encode(self) -> bytes:
        header: dict[str, object] = {
            "run_id": self.run_id,
            "shard_id": self.shard_id,
            "source": str(self.source),
            "output": str(self.output),
            "recipe": self.recipe.to_document(),
            "objects": len(self.objects),
        }
        header |= {"labels": dict(self.labels)} if self.labels else {}
        header |= {"verify_source": True} if self.verify_source else {}
        return encode_lines("shard", header, map(self._row, self.objects))

    def _row(self, item: SourceObject) -> dict[str, object]:
        split = self.splits.get(item.key)
        return item.to_row() | ({"split": split} if split else {})

    @classmethod
    def decode(cls, body: bytes) -> Shard:
        """Raises DocumentError, or RequestError for a recipe or location in it."""
        header, rows = opened_rows("shard", body)
        objects: list[SourceObject] = []
        splits: dict[str, str] = {}
        for row in rows:
            objects.append(SourceObject.from_row(row))
            if "split" in row:
                splits[objects[-1].key] = str(row["split"])
        if header.get("objects") != len(objects):
            raise DocumentError(f"The shard has {len(objects)} of {header.get('objects')} objects.")
        return cls(
            run_id=str(header["run_id"]),
            shard_id=str(header["shard_id"]),
            source=Location.parse(header.get("source"), "shard.source"),
            output=Location.parse(header.get("output"), "shard.output"),
            recipe=Recipe.from_document(header.get("recipe"), "shard.recipe"),
            objects=objects,
            labels=cast("Mapping[str, int]", header.get("labels", {})),
            verify_source=header.get("verify_source") is True,
            splits=splits,
        )


def encode_outcomes(header: Row, outcomes: Iterable[Outcome]) -> bytes:
    return encode_lines("outcomes", header, (outcome.to_row() for outcome in outcomes))


def decode_outcomes(body: bytes) -> tuple[dict[str, object], list[Outcome]]:
    """Header and rows of an outcome document. Raises DocumentError."""
    header, rows = opened_rows("outcomes", body)
    return header, list(map(Outcome.from_row, rows))


def encode_journal(header: Row, outcomes: Iterable[Outcome]) -> bytes:
    """A page of a job's journal: outcomes so far, and what they have in common."""
    return encode_lines("journal", header, (outcome.to_row() for outcome in outcomes))


def decode_journal(body: bytes) -> tuple[dict[str, object], list[Outcome]]:
    """Header and rows of a page of a journal. Raises DocumentError."""
    header, rows = opened_rows("journal", body)
    return header, list(map(Outcome.from_row, rows))


def encode_lines(kind: str, header: Row, rows: Iterable[Row]) -> bytes:
    """A compressed document; no time stamp in it, so that a retry writes the same bytes."""
    return encode_text(kind, header, map(_line, rows))


def encode_text(kind: str, header: Row, lines: Iterable[str]) -> bytes:
    """As `encode_lines`, of rows that are lines of JSON already."""
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    packed = [packer.compress(_line({"v": SCHEMA_VERSION, "kind": kind, **header}).encode())]
    rest = iter(lines)
    while text := "".join(islice(rest, _LINES_AT_ONCE)):
        packed.append(packer.compress(text.encode()))
    return b"".join([*packed, packer.flush()])


def decode_lines(kind: str, body: bytes) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Header and rows. Raises DocumentError for another kind or version, and a torn document."""
    header, rows = opened_rows(kind, body)
    return header, list(rows)


def opened_rows(kind: str, body: bytes) -> tuple[dict[str, object], Iterator[dict[str, object]]]:
    """Header and rows, some of which are parsed at once: all of them take twice the time of few.

    Raises DocumentError as `decode_lines`, for what is no row as soon as it is read.
    """
    rows = _rows_in(kind, body)
    header = next(rows)
    if header.pop("v", None) != SCHEMA_VERSION or header.pop("kind", None) != kind:
        raise DocumentError(f"The document is not a {kind} of version {SCHEMA_VERSION}.")
    return header, rows


def _rows_in(kind: str, body: bytes) -> Iterator[dict[str, object]]:
    try:
        text = gzip.decompress(body)
        start = text.find(b"\n") + 1 or len(text)
        yield json.loads(text[:start])
        while start < len(text):
            end = text.find(b"\n", start + _BLOCK_BYTES) + 1 or len(text)
            yield from parsed_lines(text[start:end])
            start = end
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DocumentError(f"The {kind} document cannot be read: {error}.") from error


def parsed_lines(lines: bytes) -> list[dict[str, object]]:
    """Rows of whole lines of JSON, in one call: a call for each line takes twice as long.

    Raises ValueError.
    """
    rows: list[dict[str, object]] = json.loads(b"[%b]" % lines.rstrip().replace(b"\n", b","))
    return rows


def _line(value: Row) -> str:
    return _ENCODER.encode(value) + "\n"
