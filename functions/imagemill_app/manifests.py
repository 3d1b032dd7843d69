"""Manifests: lists of keys that are taken instead of all that is at a source.

| name ends in | what it is |
|---|---|
| `manifest.json` | an S3 Inventory in CSV, whose keys are URL-encoded |
| `.jsonl`, `.ndjson` | in each line a key, or an object with `key` and perhaps `etag` and `bytes` |
| anything else | CSV: in each line a key, or a header with `key` and perhaps `etag` and `bytes` |

Keys are whole keys of the source's bucket, or relative to a source that is a folder. Any of them
may be compressed by gzip (`.gz`).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from obstore.exceptions import PermissionDeniedError

from imagemill_app.inventory import inventory_files, inventory_rows
from imagemill_app.lookups import NamedObject
from imagemill_app.refusal import RunRefused
from imagemill_app.stores import store_of
from imagemill_contract.fields import shown
from imagemill_contract.locations import Location, split_object_address

_SIZE_COLUMNS = ("bytes", "size")


class ManifestError(ValueError):
    """A manifest is not what its name says."""


@dataclass(slots=True)
class Manifest:
    """What a manifest names, by key, and how much of it was left out for each reason."""

    rows: dict[str, NamedObject] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)

    def add(self, rows: Iterable[NamedObject | None]) -> None:
        for row in rows:
            if row is None:
                self._ignore("older versions and deletions")
            elif row.key in self.rows:
                self._ignore("named again by the manifest")
            else:
                self.rows[row.key] = row

    def _ignore(self, reason: str) -> None:
        self.ignored[reason] = self.ignored.get(reason, 0) + 1


def read_manifest(address: str, source: Location) -> Manifest:
    """Read a manifest of any kind. Raises RunRefused when it is not there or cannot be read."""
    location, key = split_object_address(address, "manifest")
    manifest = Manifest()
    try:
        body = _body(location, key)
        name = key.lower().removesuffix(".gz")
        if name.endswith("manifest.json"):
            for file in inventory_files(body, source):
                manifest.add(inventory_rows(_body(location, file.key), file.columns))
        elif name.endswith((".jsonl", ".ndjson")):
            manifest.add(_json_rows(body))
        else:
            manifest.add(_csv_rows(body))
    except FileNotFoundError as error:
        raise RunRefused(f'manifest: of "{address}" there is no {_missing(error, key)}.') from None
    except PermissionDeniedError:
        raise RunRefused(
            f'manifest: this stack has no right to read "{address}", or there is none.'
        ) from None
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error) as error:
        raise RunRefused(f'manifest: "{address}" cannot be read: {error}.') from None
    return manifest
