"""Manifests: lists of keys, made by a person or by S3 Inventory, that replace a listing.

- JSON lines: a key, or an object with `key` and perhaps `etag` and `bytes` (or `size`).
- CSV: the key in the first column, or columns named by a first row that has `key` in it.
- S3 Inventory: its `manifest.json`, which names gzipped CSV files and their columns.

A name that ends in `.gz` is read decompressed.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from imagemill_app.plan.source.lookup import looked_up
from imagemill_app.refusal import RunRefused
from imagemill_app.stores import store_of
from imagemill_contract.documents import SourceObject
from imagemill_contract.fields import shown
from imagemill_contract.locations import Location, split_object_address
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.source_keys import is_readable_key, may_be_picture

LOOKUPS_AT_ONCE = 32
MAX_MANIFEST_BYTES = 500_000_000  # some five million keys, in a function of 2 GB
TOO_LONG = f"it has more than {MAX_MANIFEST_BYTES:,} bytes; cut it into manifests of several runs"
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
    lines = list(_lines(address, source))
    inside = [line for line in lines if line.key.startswith(source.prefix)]
    yield from (None for _ in range(len(lines) - len(inside)))
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        yield from pool.map(lambda line: _object(line, source), inside)


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
        body = _body_at(address)
        if name.endswith(".json"):
            yield from _inventory_lines(json.loads(body), address, source)
        elif name.endswith(".jsonl"):
            yield from (_json_line(line) for line in body.splitlines() if line.strip())
        else:
            yield from _csv_lines(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    except FileNotFoundError:
        raise RunRefused(f'manifest: there is nothing at "{address}".') from None
    except KeyError as error:
        raise RunRefused(f'manifest: "{address}" cannot be read: it has no {error}.') from None
    except (ValueError, TypeError, OSError, EOFError, zlib.error, csv.Error) as error:
        raise RunRefused(f'manifest: "{address}" cannot be read: {error}.') from None


def _body_at(address: str) -> bytes:
    """The text of a manifest. Raises ValueError for one that memory would not hold."""
    location, key = split_object_address(address, "manifest")
    found = store_of(location.root).get(key)
    if found.meta["size"] > MAX_MANIFEST_BYTES:
        raise ValueError(TOO_LONG)
    body = found.bytes().to_bytes()
    if not key.endswith(".gz"):
        return body
    with gzip.open(io.BytesIO(body)) as packed:  # a kilobyte can unpack to a megabyte
        text = packed.read(MAX_MANIFEST_BYTES + 1)
    if len(text) > MAX_MANIFEST_BYTES:
        raise ValueError(TOO_LONG)
    return text


def _json_line(line: bytes) -> _Line:
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
        text = _body_at(location.address_of(entry["key"])).decode()
        for row in csv.reader(io.StringIO(text)):
            values = dict(zip(columns, row, strict=True))
            if values.get("islatest", "true") == "true" and values.get("isdeletemarker") != "true":
                yield _named_line({**values, "key": unquote_plus(values["key"])})
