"""Copies that lie in different slices of a run. They are found when all of these are planned.

Each slice leaves its objects in order of their content, in documents by a hash of it. So of all
slices only documents of one number are read at once, row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from typing import NamedTuple
from zlib import crc32

from imagemill_app.plan.sifting.copies import groups_of_files, is_done
from imagemill_app.stores import list_keys, read_bytes, write_bytes
from imagemill_contract.document_parts.lines import encode_lines
from imagemill_contract.documents import SourceObject
from imagemill_contract.keys import copies_folder, copies_key
from imagemill_contract.locations import Location
from imagemill_dataset.index import Entry
from imagemill_dataset.parts.json_lines import opened_lines

_PARTS = 16
_FILES_AT_ONCE = 5_000


class Candidate(NamedTuple):
    """An object that may have a copy. The least of some with the same content is kept.

    Attributes:
        content: What copies of it have, too: of files, which are then compared, their length.
        is_open: Whether no earlier run has done it: what has a result comes first.
        key: Its key.
        bytes: Its length.
        is_to_do: Whether the run has to do it.
        why: The reason for that, or for its being left out, as the plan counts it.
    """

    content: str
    is_open: bool
    key: str
    bytes: int
    is_to_do: bool
    why: str


class Copy(NamedTuple):
    """An object of a slice that is left out, and the key of the one that is kept."""

    slice_number: int
    left_out: Candidate
    kept: str


_Placed = tuple[Candidate, int]  # with the number of its slice


def candidates_of(
    objects: Iterable[SourceObject],
    source: Location,
    known: Mapping[str, Entry],
    why: Mapping[str, str],
    to_do: Collection[str],
) -> list[Candidate]:
    """The objects of a slice of whose content anything is known.

    `known` is what earlier runs have done, by relative keys. By keys, `why` has the reason of each
    object, and `to_do` those that the run has to do.
    """
    return [
        Candidate(
            content,
            not is_done(item, source, known),
            item.key,
            item.bytes,
            item.key in to_do,
            why[item.key],
        )
        for item in objects
        if (content := _content_of(item, source))
    ]


def _content_of(item: SourceObject, source: Location) -> str:
    """What copies of an object have, too; empty if nothing tells."""
    if source.is_file:
        return str(item.bytes) if item.bytes else ""
    return f"{item.etag}-{item.bytes}" if item.etag else ""


def write_candidates(
    output: Location, run_id: str, number: int, candidates: Iterable[Candidate]
) -> None:
    """Leave the objects of a slice for whoever looks at all slices."""
    parts: dict[int, list[Candidate]] = {}
    for item in candidates:
        parts.setdefault(crc32(item.content.encode()) % _PARTS, []).append(item)
    for part, items in parts.items():
        rows = ({"item": item} for item in sorted(items))
        write_bytes(output, copies_key(run_id, part, number), encode_lines("copies", {}, rows))


def copies_between(
    output: Location, run_id: str, numbers: Sequence[int], source: Location
) -> Iterator[Copy]:
    """What is left out of the slices with these numbers."""
    there = set(list_keys(output, copies_folder(run_id)))
    for part in range(_PARTS):
        names = {number: copies_key(run_id, part, number) for number in numbers}
        bodies = {n: read_bytes(output, name) for n, name in names.items() if name in there}
        alike = _alike(merge(*(_candidates(number, body) for number, body in bodies.items())))
        for (first, _), *others in _compared(alike, source) if source.is_file else alike:
            yield from (Copy(number, other, first.key) for other, number in others)


def _candidates(number: int, body: bytes) -> Iterator[_Placed]:
    _, rows = opened_lines("copies", body)
    for row in rows:
        yield Candidate(*row["item"]), number


def _alike(candidates: Iterable[_Placed]) -> Iterator[list[_Placed]]:
    """Those with the same content, the one that is kept first."""
    for _, members in groupby(candidates, lambda placed: placed[0].content):
        same = list(members)
        if len(same) > 1:
            yield same


def _compared(groups: Iterable[list[_Placed]], folder: Location) -> Iterator[list[_Placed]]:
    """Of files with the same length those with the same bytes, in the same order."""
    waiting: list[_Placed] = []
    for group in groups:
        waiting += group
        if len(waiting) >= _FILES_AT_ONCE:
            yield from _same_files(waiting, folder)
            waiting = []
    yield from _same_files(waiting, folder)


def _same_files(candidates: Sequence[_Placed], folder: Location) -> Iterator[list[_Placed]]:
    by_key = {placed[0].key: placed for placed in candidates}
    objects = [SourceObject(item.key, "", item.bytes) for item, _ in candidates]
    for same in groups_of_files(objects, folder):
        yield sorted(by_key[item.key] for item in same)
