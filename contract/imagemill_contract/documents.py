"""The documents of a run: compressed JSON lines with a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, NamedTuple, cast

from imagemill_contract.document_parts.lines import (
    Row,
    encode_lines,
    encode_text,
    has_values,
    line_of,
    opened_blocks,
)
from imagemill_contract.errors import DocumentError
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, outcomes_of
from imagemill_contract.recipe import Recipe
from imagemill_contract.recipe_parts.columns import Value

_TEXT = encode_basestring
_NEEDED = [{str}, {str}, {int}]  # types of the first of these
_OBJECT_FIELDS = ("key", "etag", "bytes", "columns", "split")


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
        header["fields"] = _OBJECT_FIELDS
        return encode_text("shard", header, map(self._line, self.objects))

    def _line(self, item: SourceObject) -> str:
        """A row as JSON. Written by hand, it takes half of the time: there are millions."""
        split = self.splits.get(item.key, "")
        if item.columns or split:
            return line_of([item.key, item.etag, item.bytes, item.columns, split])
        return f"[{_TEXT(item.key)},{_TEXT(item.etag)},{item.bytes}]\n"

    @classmethod
    def decode(cls, body: bytes) -> Shard:
        """Raises DocumentError, or RequestError for a recipe or location in it."""
        header, blocks = opened_blocks("shard", body)
        objects: list[SourceObject] = []
        splits: dict[str, str] = {}
        read = _objects_of if has_values(header, _OBJECT_FIELDS) else _objects_of_rows
        for block in blocks:
            found, their_splits = read(block)
            objects += found
            splits |= their_splits
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


def _objects_of(rows: Sequence[list[Any]]) -> tuple[list[SourceObject], dict[str, str]]:
    """Objects, and the splits of some by their keys, column by column: there are millions.

    Raises DocumentError for values of another shape.
    """
    widths, usual, splits = set(map(len, rows)), [(), ""], dict[str, str]()
    if widths - {len(_NEEDED)} and min(widths) >= len(_NEEDED):
        whole = [row + usual[len(row) - len(_NEEDED) :] for row in rows]
        splits = {row[0]: row[-1] for row in whole if row[-1]}
        rows = [[*row[: len(_NEEDED)], tuple(row[len(_NEEDED)])] for row in whole]
    columns = list(zip(*rows, strict=False))
    if [set(map(type, column)) for column in columns[: len(_NEEDED)]] != _NEEDED and rows:
        raise DocumentError("Each object of a shard must have key, etag and bytes.")
    return list(map(SourceObject, *columns)) if rows else [], splits


def _objects_of_rows(
    rows: Sequence[dict[str, Any]],
) -> tuple[list[SourceObject], dict[str, str]]:
    """The same of objects, as earlier versions wrote them."""
    splits = {row["key"]: str(row["split"]) for row in rows if "split" in row}
    return list(map(SourceObject.from_row, rows)), splits


def encode_outcomes(header: Row, outcomes: Iterable[Outcome]) -> bytes:
    return _encoded("outcomes", header, outcomes)


def decode_outcomes(body: bytes) -> tuple[dict[str, object], list[Outcome]]:
    """Header and rows of an outcome document. Raises DocumentError."""
    return _decoded("outcomes", body)


def encode_journal(header: Row, outcomes: Iterable[Outcome]) -> bytes:
    """A page of a job's journal: outcomes so far, and what they have in common."""
    return _encoded("journal", header, outcomes)


def decode_journal(body: bytes) -> tuple[dict[str, object], list[Outcome]]:
    """Header and rows of a page of a journal. Raises DocumentError."""
    return _decoded("journal", body)


def _encoded(kind: str, header: Row, outcomes: Iterable[Outcome]) -> bytes:
    rows = (outcome.to_values() for outcome in outcomes)
    return encode_lines(kind, {**header, "fields": Outcome._fields}, rows)


def _decoded(kind: str, body: bytes) -> tuple[dict[str, object], list[Outcome]]:
    header, blocks = opened_blocks(kind, body)
    if has_values(header, Outcome._fields):
        return header, list(chain.from_iterable(map(outcomes_of, blocks)))
    return header, list(map(Outcome.from_row, chain.from_iterable(blocks)))
