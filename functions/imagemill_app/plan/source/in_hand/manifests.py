"""Manifests: lists of keys, made by a person or by S3 Inventory, that replace a listing.

- JSON lines: a key, or an object with `key` and perhaps `etag` and `bytes` (or `size`).
- CSV: the key in the first column, or columns named by a first row that has `key` in it.
- Parquet: a column `key`, and perhaps those others.
- S3 Inventory: its `manifest.json`, which names gzipped CSV files, or Parquet or ORC files.

A name that ends in `.gz` is read decompressed. What else a line says may be the picture's columns.
"""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

from imagemill_app.plan.source.in_hand.orc_rows import orc_rows
from imagemill_app.plan.source.in_hand.parquet_rows import inventory_rows, parquet_rows
from imagemill_app.plan.source.in_hand.texts import opened_text, whole_lines
from imagemill_app.plan.source.lookup import looked_up
from imagemill_app.refusal import RunRefused
from imagemill_contract.documents import SourceObject
from imagemill_contract.fields import shown
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe_parts.columns import NamedTypes, Value, has_any, values_in
from imagemill_contract.source_keys import is_readable_key, may_be_picture

LOOKUPS_AT_ONCE = 32
_LINES_AT_ONCE = 10_000
# What a function reads and sorts in its fifteen minutes, and its temporary files hold.
MAX_MANIFEST_KEYS = 20_000_000
MAX_FILE_CHARACTERS = 4_000_000_000
TOO_LONG = "it names more than {:,} objects; cut it into manifests of several runs"
_MOST_JSON_CHARACTERS = 100_000_000  # of the manifest of an inventory, which names its files
_BYTES_NAMES = ("bytes", "size")
_ROWS_OF_INVENTORY = {"Parquet": parquet_rows, "ORC": orc_rows}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a manifest. An object without ETag or length has to be looked up."""

    key: str
    etag: str | None = None
    bytes: int | None = None
    columns: tuple[Value, ...] = ()
    problem: str = ""  # why these cannot be read


def manifest_objects(
    address: str, source: Location, columns: NamedTypes = ()
) -> Iterator[SourceObject | Outcome | None]:
    """The objects of a manifest; an Outcome for one that is gone, None for one outside the source.

    An object has the columns, if the manifest says anything of them.

    Raises RunRefused if the manifest is not there or cannot be read.
    """
    lines, left = _lines(address, source, columns), MAX_MANIFEST_KEYS
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        while some := list(islice(lines, _LINES_AT_ONCE)):
            left -= len(some)
            if left < 0:
                why = TOO_LONG.format(MAX_MANIFEST_KEYS)
                raise RunRefused(f'manifest: "{address}" is not allowed; {why}.')
            inside = [line for line in some if line.key.startswith(source.prefix)]
            yield from [None] * (len(some) - len(inside))
            yield from _objects(inside, source, pool)


def _objects(
    lines: Sequence[_Line], source: Location, pool: ThreadPoolExecutor
) -> Iterator[SourceObject | Outcome]:
    """Objects in the order of lines. Only what has to be asked for is given to the pool."""
    asked = [line for line in lines if not (line.etag and line.bytes is not None)]
    answers = pool.map(lambda line: _object(line, source), asked)
    for line in lines:
        yield _object(line, source) if line.etag and line.bytes is not None else next(answers)


def _object(line: _Line, source: Location) -> SourceObject | Outcome:
    if not may_be_picture(line.key):  # a folder object, a text: nobody needs to look it up
        return SourceObject(line.key, "", 0)
    if source.is_file and not is_readable_key(line.key):
        detail = "The manifest names it, but no job can be given an object of that name."
        return Outcome(line.key, Status.REJECTED, Reason.UNREADABLE_KEY, detail)
    if line.problem:
        return Outcome(line.key, Status.REJECTED, Reason.BAD_ROW, line.problem)
    if line.etag and line.bytes is not None:
        return SourceObject(line.key, line.etag.strip('"'), line.bytes, line.columns)
    try:
        found = looked_up(source, line.key)
    except ValueError:
        detail = "The manifest names it, but no object can have that name."
        return Outcome(line.key, Status.REJECTED, Reason.UNREADABLE_KEY, detail)
    if found is None:
        detail = "The manifest names it, but it is not there."
        return Outcome(line.key, Status.REJECTED, Reason.GONE, detail)
    return found._replace(columns=line.columns)


def _lines(address: str, source: Location, columns: NamedTypes) -> Iterator[_Line]:
    name = address.removesuffix(".gz").rpartition("/")[2]
    try:
        if name.endswith(".parquet"):
            yield from (_named_line(row, columns) for row in parquet_rows(address))
            return
        with opened_text(address) as text:
            if name.endswith(".json"):
                yield from _inventory_lines(
                    json.loads(text.read(_MOST_JSON_CHARACTERS)), address, source
                )
            elif name.endswith(".jsonl"):
                yield from (
                    _json_line(line, columns)
                    for line in whole_lines(text, MAX_FILE_CHARACTERS)
                    if line.strip()
                )
            else:
                yield from _csv_lines(csv.reader(whole_lines(text, MAX_FILE_CHARACTERS)), columns)
    except FileNotFoundError:
        raise RunRefused(f'manifest: there is nothing at "{address}".') from None
    except KeyError as error:
        raise RunRefused(f'manifest: "{address}" cannot be read: it has no {error}.') from None
    except (ValueError, TypeError, OSError, EOFError, zlib.error, csv.Error) as error:
        raise RunRefused(f'manifest: "{address}" cannot be read: {error}.') from None


def _json_line(line: str, columns: NamedTypes) -> _Line:
    value = json.loads(line)
    if isinstance(value, str):
        return _Line(value)
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is neither a key nor an object with one")
    return _named_line(value, columns)


def _named_line(values: Mapping[str, Any], columns: NamedTypes = ()) -> _Line:
    length = next(
        (values[name] for name in _BYTES_NAMES if values.get(name) not in (None, "")), None
    )
    known = str(values["key"]), values.get("etag"), None if length is None else int(length)
    if not has_any(values, columns):
        return _Line(*known)
    try:
        return _Line(*known, values_in(values, columns))
    except ValueError as error:
        return _Line(*known, problem=str(error))


def _csv_lines(rows: Iterable[Sequence[str]], columns: NamedTypes) -> Iterator[_Line]:
    names: list[str] = []
    for number, row in enumerate(row for row in rows if row):
        if number == 0 and "key" in [cell.strip().lower() for cell in row]:
            names = [cell.strip().lower() for cell in row]
        elif names:
            yield _named_line(dict(zip(names, row, strict=False)), columns)
        else:
            yield _Line(row[0])


def _inventory_lines(manifest: Any, address: str, source: Location) -> Iterator[_Line]:
    """Lines of an S3 Inventory. In CSV its keys are URL-encoded (S3 guide, inventory lists)."""
    if not isinstance(manifest, dict):
        raise ValueError("it is not a manifest of S3 Inventory")
    if source.is_file or manifest["sourceBucket"] != source.bucket:
        raise ValueError(f"it lists the bucket {manifest['sourceBucket']}, not {source}")
    file_format = manifest.get("fileFormat")
    if file_format != "CSV" and file_format not in _ROWS_OF_INVENTORY:
        raise ValueError(f"its format is {file_format}, and it must be CSV, Parquet or ORC")
    location, _ = split_object_address(address, "manifest")
    for entry in manifest["files"]:
        file_address = location.address_of(entry["key"])
        if file_format == "CSV":
            yield from _inventory_csv(manifest["fileSchema"], file_address)
        else:
            rows = _ROWS_OF_INVENTORY[file_format](file_address)
            yield from map(_named_line, inventory_rows(rows))


def _inventory_csv(schema: str, address: str) -> Iterator[_Line]:
    columns = [name.strip().lower() for name in schema.split(",")]
    with opened_text(address) as text:
        for row in csv.reader(whole_lines(text, MAX_FILE_CHARACTERS)):
            values = dict(zip(columns, row, strict=True))
            if _is_current(values):
                yield _named_line({**values, "key": unquote_plus(values["key"])})


def _is_current(values: Mapping[str, str]) -> bool:
    """Whether a row of an inventory is about what there is, not about an earlier version."""
    return values.get("islatest", "true") == "true" and values.get("isdeletemarker") != "true"
