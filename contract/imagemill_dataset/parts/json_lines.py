"""Reads documents with very many rows one row at a time: a part of the index may have millions."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import IO, Any, cast

from imagemill_contract.document_parts.lines import SCHEMA_VERSION, parsed_lines
from imagemill_contract.errors import DocumentError

Row = dict[str, Any]

# Of text, parsed at once: some thousand rows.
_BLOCK_BYTES = 1 << 18


def opened_lines(kind: str, body: bytes) -> tuple[Row, Iterator[Row]]:
    """Header and rows, as from `documents.decode_lines`, without holding all rows.

    Raises DocumentError for another kind or version, and, while rows are read, for a torn document.
    """
    lines = _json_lines(kind, body)
    header = next(lines, {})
    if header.pop("v", None) != SCHEMA_VERSION or header.pop("kind", None) != kind:
        raise DocumentError(f"The document is not a {kind} of version {SCHEMA_VERSION}.")
    return header, lines


def rows_in_stream(lines: IO[bytes]) -> Iterator[Row]:
    """Rows of lines of JSON, of which a block is in memory. Raises ValueError."""
    rest = b""
    while block := lines.read(_BLOCK_BYTES):
        whole, _, rest = (rest + block).rpartition(b"\n")
        yield from parsed_lines(whole)
    yield from parsed_lines(rest)


def _json_lines(kind: str, body: bytes) -> Iterator[Row]:
    try:
        with gzip.open(io.BytesIO(body)) as text:
            yield json.loads(text.readline() or b"{}")  # the header, which may be all one needs
            yield from rows_in_stream(cast("IO[bytes]", text))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DocumentError(f"The {kind} document cannot be read: {error}.") from error
