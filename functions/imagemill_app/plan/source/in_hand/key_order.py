"""Sorts very many objects by key: what memory should not hold waits in temporary files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from tempfile import TemporaryFile
from typing import IO, cast

from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Outcome
from imagemill_dataset.parts.json_lines import rows_in_stream

Found = SourceObject | Outcome

_KEY = attrgetter("key")


def in_key_order(found: Iterable[Found], most_held: int) -> Iterator[Found]:
    """Objects by key, those with the same key in the order given.

    Holds `most_held` of them, or twice as many while the last are read. A file has 30 to 50
    bytes for each of the others.
    """
    rest = iter(found)
    held, files = _sorted_part(rest, most_held), list[IO[bytes]]()
    while following := _sorted_part(rest, most_held):
        files.append(_written(held))
        held = following
    return merge(*map(_read_back, files), held, key=_KEY)


def _sorted_part(rest: Iterator[Found], most: int) -> list[Found]:
    return sorted(islice(rest, most), key=_KEY)


def _written(found: Sequence[Found]) -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115 # it is read later, and goes with the function
    with gzip.open(file, "wt", compresslevel=1, encoding="utf-8") as text:
        text.writelines(json.dumps(item.to_row()) + "\n" for item in found)
    file.seek(0)
    return file


def _read_back(file: IO[bytes]) -> Iterator[Found]:
    with file, gzip.open(file) as text:
        for row in rows_in_stream(cast("IO[bytes]", text)):
            yield Outcome.from_row(row) if "status" in row else SourceObject.from_row(row)
