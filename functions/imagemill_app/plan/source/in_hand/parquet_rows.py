"""Rows of Parquet files that are manifests, or parts of one of S3 Inventory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from imagemill_app.stores import store_of
from imagemill_contract.locations import split_object_address

Row = dict[str, Any]

MOST_BYTES = 500_000_000  # held whole, unlike other manifests: its end says where all else is
_MAGIC = b"PAR1"


def parquet_rows(address: str) -> Iterator[Row]:
    """The rows of a file, with names of columns in lower case.

    Raises FileNotFoundError without one, and ValueError for what is no Parquet or is too long.
    """
    from arro3.io import read_parquet  # of few manifests alone

    body = whole_body(address)
    if body[:4] != _MAGIC or body[-4:] != _MAGIC:  # at which arro3 would panic
        raise ValueError("it does not begin and end as a Parquet file")
    for batch in read_parquet(io.BytesIO(body)):
        names = [name.strip().lower() for name in batch.schema.names]
        columns = [batch.column(place).to_pylist() for place in range(batch.num_columns)]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


def whole_body(address: str) -> bytes:
    """Raises FileNotFoundError without a file, and ValueError for one that is too long."""
    location, key = split_object_address(address, "manifest")
    found = store_of(location.root).get(key)
    if found.meta["size"] > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    return found.bytes().to_bytes()


def inventory_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """The newest versions of objects that an S3 Inventory lists (S3 guide, inventory lists)."""
    for row in rows:
        if row.get("is_latest") is not False and not row.get("is_delete_marker"):
            yield {**row, "etag": row.get("e_tag")}
