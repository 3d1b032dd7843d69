"""Compressed JSON lines: a header with version and kind, and rows.

The first line is the header, `{"v": 1, "kind": ...}`; every further line is a row: a list of values
where the header has their names as `fields`, an object elsewhere. The same content always gives the
same bytes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, cast

from imagemill_contract.errors import DocumentError

SCHEMA_VERSION = 1

Row = Mapping[str, object]
Values = list[object]  # in the order of the header's fields

# Hashes cannot be made smaller: the higher levels take three times as long for 5 % less.
_LEVEL, _GZIP = 1, 31
# Parsed and packed at once: more would wait in memory that no cache holds.
_BLOCK_BYTES, _LINES_AT_ONCE = 1 << 17, 500
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode_lines(kind: str, header: Row, rows: Iterable[Row | Values]) -> bytes:
    """A compressed document; no time stamp in it, so that a retry writes the same bytes."""
    return encode_text(kind, header, map(line_of, rows))


def encode_text(kind: str, header: Row, lines: Iterable[str]) -> bytes:
    """As `encode_lines`, of rows that are lines of JSON already."""
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    packed = [packer.compress(line_of({"v": SCHEMA_VERSION, "kind": kind, **header}).encode())]
    rest = iter(lines)
    while text := "".join(islice(rest, _LINES_AT_ONCE)):
        packed.append(packer.compress(text.encode()))
    return b"".join([*packed, packer.flush()])


def decode_lines(kind: str, body: bytes) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Header and rows. Raises DocumentError for another kind or version, and a torn document."""
    header, rows = opened_rows(kind, body)
    return header, list(rows)


def opened_rows(kind: str, body: bytes) -> tuple[dict[str, object], Iterator[dict[str, object]]]:
    """Header and rows. Raises DocumentError as `opened_blocks`."""
    header, blocks = opened_blocks(kind, body)
    return header, chain.from_iterable(blocks)


def opened_blocks(kind: str, body: bytes) -> tuple[dict[str, object], Iterator[list[Any]]]:
    """Header, and rows block by block: all of them at once take twice the time of few.

    Raises DocumentError as `decode_lines`, for what is no row as soon as it is read.
    """
    blocks = _blocks_in(kind, body)
    header = next(blocks)[0]
    if header.pop("v", None) != SCHEMA_VERSION or header.pop("kind", None) != kind:
        raise DocumentError(f"The document is not a {kind} of version {SCHEMA_VERSION}.")
    return header, blocks


def _blocks_in(kind: str, body: bytes) -> Iterator[list[Any]]:
    try:
        text = gzip.decompress(body)
        start = text.find(b"\n") + 1 or len(text)
        yield [json.loads(text[:start])]
        while start < len(text):
            end = text.find(b"\n", start + _BLOCK_BYTES) + 1 or len(text)
            yield parsed_lines(text[start:end])
            start = end
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DocumentError(f"The {kind} document cannot be read: {error}.") from error


def parsed_lines(lines: bytes) -> list[dict[str, object]]:
    """Rows of whole lines of JSON, in one call: a call for each line takes twice as long.

    Raises ValueError.
    """
    rows: list[dict[str, object]] = json.loads(b"[%b]" % lines.rstrip().replace(b"\n", b","))
    return rows


def line_of(value: Row | Sequence[object]) -> str:
    """A line of JSON."""
    return _ENCODER.encode(value) + "\n"


def has_values(header: dict[str, object], fields: Sequence[str]) -> bool:
    """Whether rows are lists of values; earlier versions wrote objects.

    Raises DocumentError if they are values of other fields: later versions only add some.
    """
    found = header.pop("fields", None)
    if found is not None and found != list(fields[: len(cast("list[str]", found))]):
        raise DocumentError(f"The document has the fields {found}; known are {list(fields)}.")
    return found is not None
