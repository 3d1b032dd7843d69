"""Rows of ORC files, in which S3 Inventory may list objects."""

from __future__ import annotations

import io
from collections.abc import Iterator

from imagemill_app.plan.source.in_hand.parquet_rows import Row, whole_body

# No times among them: to read those, the library looks for time zones, which Lambda does not have.
_COLUMNS = ("key", "size", "e_tag", "is_latest", "is_delete_marker")


def orc_rows(address: str) -> Iterator[Row]:
    """The rows of a file, as far as an inventory has the columns that are needed of one.

    Raises FileNotFoundError without a file, and ValueError for what is no ORC or is too long.
    """
    import pyorc  # of few manifests alone

    body = whole_body(address)
    try:
        schema = pyorc.Reader(io.BytesIO(body)).schema
        names = schema.fields if isinstance(schema, pyorc.Struct) else {}
        wanted = [name for name in _COLUMNS if name in names]
        rows = pyorc.Reader(
            io.BytesIO(body), column_names=wanted, struct_repr=pyorc.StructRepr.DICT
        )
        yield from rows
    except pyorc.errors.ORCError as error:
        # addresses of objects in the text would differ from call to call
        raise ValueError(str(error).partition("<")[0].strip()) from error
