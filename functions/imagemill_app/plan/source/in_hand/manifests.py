"""Manifests: lists of keys, made by a person or by S3 Inventory, that replace a listing.

- JSON lines: a key, or an object with `key` and perhaps `etag` and `bytes` (or `size`).
- CSV: the key in the first column, or columns named by a first row that has `key` in it.
- S3 Inventory: its `manifest.json`, which names gzipped CSV files and their columns.

A name that ends in `.gz` is read decompressed.
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

from imagemill_app.plan.source.in_hand.texts import opened_text, whole_lines
from imagemill_app.plan.source.lookup import looked_up
from imagemill_app.refusal import RunRefused
from imagemill_contract.documents import SourceObject
from imagemill_contract.fields import shown
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.source_keys import is_readable_key, may_be_picture

LOOKUPS_AT_ONCE = 32
_LINES_AT_ONCE = 10_000
# What a function reads and sorts in its fifteen minutes, and its temporary files hold.
MAX_MANIFEST_KEYS = 20_000_000
MAX_FILE_CHARACTERS = 4_000_000_000
TOO_LONG = "it names more than {:,} objects; cut it into manifests of several runs"
_MOST_JSON_CHARACTERS = 100_000_000  # of the manifest of an inventory, which names its files
_BYTES_NAMES = ("bytes", "size")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a manifest. An object without ETag or length has to be looked up."""

    key: str
    etag: str | None = None
    bytes: int | None = None


def manifest_objects(address: str, source: Location) -> Iterator[SourceObject | Outcome | None]:
    """The objects of a manifest; an Outcome for one that is gone, None for one outside the source.

    Raises RunRefused if the manifest is not there or cannot be read.
    """
    lines, left = _lines(address, source), MAX_MANIFEST_KEYS
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
    if line.etag and line.bytes is not None:
        return SourceObject(line.key, line.etag.strip('"'), line.bytes)
    try:
        found = looked_up(source, line.key)
    except ValueError:
        detail = "The manifest names it, but no object can have that name."
        return Outcome(line.key, Status.REJECTED, Reason.UNREADABLE_KEY, detail)
    if found is None:
        detail = "The manifest names it, but it is not there."
        return Outcome(line.key, Status.REJECTED, Reason.GONE, detail)
    return found


def _lines(address: str, source: Location) -> Iterator[_Line]:
    name = address.removesuffix(".gz").rpartition("/")[2]
    try:
        with opened_text(address) as text:
            if name.endswith(".json"):
                yield from _inventory_lines(
                    json.loads(text.read(_MOST_JSON_CHARACTERS)), address, source
                )
            elif name.endswith(".jsonl"):
                yield from (
                    _json_line(line)
                    for line in whole_lines(text, MAX_FILE_CHARACTERS)
                    if line.strip()
                )
            else:
                yield from _csv_lines(csv.reader(whole_lines(text, MAX_FILE_CHARACTERS)))
    except FileNotFoundError:
        raise RunRefused(f'manifest: there is nothing at "{address}".') from None
    except KeyError as error:
        raise RunRefused(f'manifest: "{address}" cannot be read: it has no {error}.') from None
    except (ValueError, TypeError, OSError, EOFError, zlib.error, csv.Error) as error:
        raise RunRefused(f'manifest: "{address}" cannot be read: {error}.') from None


def _json_line(line: str) -> _Line:
    value = json.loads(line)
    if isinstance(value, str):
        return _Line(value)
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is neither a key nor an object with one")
    return _named_line(value)


def _named_line(values: Mapping[str, Any]) -> _Line:
    length = next(
        (values[name] for name in _BYTES_NAMES if values.get(name) not in (None, "")), None
    )
    return _Line(str(values["key"]), values.get("etag"), None if length is None else int(length))


def _csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[_Line]:
    columns: list[str] = []
    for number, row in enumerate(row for row in rows if row):
        if number == 0 and "key" in [cell.strip().lower() for cell in row]:
            columns = [cell.strip().lower() for cell in row]
        elif columns:
            yield _named_line(dict(zip(columns, row, strict=False)))
        else:
            yield _Line(row[0])


def _inventory_lines(manifest: Any, address: str, source: Location) -> Iterator[_Line]:
    """Lines of an S3 Inventory in CSV. Its keys are URL-encoded (S3 guide, inventory lists)."""
    if not isinstance(manifest, dict):
        raise ValueError("it is not a manifest of S3 Inventory")
    if source.is_file or manifest["sourceBucket"] != source.bucket:
        raise ValueError(f"it lists the bucket {manifest['sourceBucket']}, not {source}")
    if manifest.get("fileFormat") != "CSV":
        raise ValueError(f"its format is {manifest.get('fileFormat')}, and it must be CSV")
    columns = [name.strip().lower() for name in manifest["fileSchema"].split(",")]
    location, _ = split_object_address(address, "manifest")
    for entry in manifest["files"]:
        with opened_text(location.address_of(entry["key"])) as text:
            for row in csv.reader(whole_lines(text, MAX_FILE_CHARACTERS)):
                values = dict(zip(columns, row, strict=True))
                if _is_current(values):
                    yield _named_line({**values, "key": unquote_plus(values["key"])})


def _is_current(values: Mapping[str, str]) -> bool:
    """Whether a row of an inventory is about what there is, not about an earlier version."""
    return values.get("islatest", "true") == "true" and values.get("isdeletemarker") != "true"
