"""Leaves copies in different slices out of a plan that is written already, slice by slice.

What is left out waits in temporary files, one for each slice. Done again, it writes the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO, Any

from imagemill_app.plan.sifting.copies_between import Candidate, Copy
from imagemill_app.plan.totals import PlanTotals
from imagemill_app.results.planned_shards import shard_at
from imagemill_app.stores import read_bytes, write_bytes
from imagemill_contract.documents import decode_outcomes, encode_outcomes
from imagemill_contract.keys import refused_key, shard_key, slice_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status

_LeftOut = tuple[Candidate, str]  # with the key of the one that is kept


def without_copies_between(
    totals: PlanTotals, copies: Iterable[Copy], output: Location, run_id: str, *, dry_run: bool
) -> PlanTotals:
    """The totals of what is left; the documents of slices that have copies are written anew.

    Of a dry run there are no documents.
    """
    with ExitStack() as files:
        for number, left_out in sorted(_by_slice(copies, files).items()):
            found = list(_read_back(left_out))
            totals = _less(totals, number, [item for item, _ in found])
            if not dry_run:
                kept = {item.key: first for item, first in found}
                items = list(_items(totals.items, number, kept, output, run_id))
                totals = replace(totals, items=items)
                _refuse(kept, output, run_id, number)
    return totals


def _by_slice(copies: Iterable[Copy], files: ExitStack) -> dict[int, IO[str]]:
    found: dict[int, IO[str]] = {}
    for number, item, kept in copies:
        if number not in found:
            file = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 # `files` closes it
            found[number] = files.enter_context(file)
        found[number].write(json.dumps([item, kept]) + "\n")
    return found


def _read_back(file: IO[str]) -> Iterator[_LeftOut]:
    file.seek(0)
    for line in file:
        item, kept = json.loads(line)
        yield Candidate(*item), kept


def _less(totals: PlanTotals, number: int, copies: Sequence[Candidate]) -> PlanTotals:
    to_do = [item for item in copies if item.is_to_do]
    return replace(
        totals,
        slices=sorted({*totals.slices, number}),  # of one with nothing to do, too
        objects=totals.objects - len(to_do),
        bytes=totals.bytes - sum(item.bytes for item in to_do),
        refused=totals.refused + len(copies),
        to_do=_reduced(totals.to_do, to_do),
        done=_reduced(totals.done, [item for item in copies if not item.is_to_do]),
    )


def _reduced(counts: Mapping[str, int], items: Iterable[Candidate]) -> dict[str, int]:
    """Counts by reason, without those of some; what becomes none is left out."""
    less = Counter(item.why for item in items)
    return {name: count - less[name] for name, count in counts.items() if count > less[name]}


def _items(
    items: Iterable[dict[str, Any]],
    number: int,
    kept: Mapping[str, str],
    output: Location,
    run_id: str,
) -> Iterator[dict[str, Any]]:
    """Items of the Map; shards of a slice with copies are written without them."""
    for item in items:
        if slice_of(item["shard_id"]) != number:
            yield item
            continue
        shard = shard_at(item["shard"])
        left = replace(shard, objects=[it for it in shard.objects if it.key not in kept])
        if len(left.objects) < len(shard.objects):
            write_bytes(output, shard_key(run_id, shard.shard_id), left.encode())
        if left.objects:
            yield {**item, "objects": len(left.objects), "bytes": left.total_bytes}


def _refuse(kept: Mapping[str, str], output: Location, run_id: str, number: int) -> None:
    """Add the copies to the slice's outcomes of objects that no job is given."""
    key = refused_key(run_id, number)
    header, rows = decode_outcomes(read_bytes(output, key))
    rows = [row for row in rows if row.key not in kept]
    rows += [
        Outcome(copy, Status.REJECTED, Reason.DUPLICATE, f"It has the same bytes as {first}.")
        for copy, first in sorted(kept.items())
    ]
    write_bytes(output, key, encode_outcomes(header, rows))
