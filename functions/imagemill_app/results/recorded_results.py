"""Checks whether the results of a run are still the ones that its jobs have recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from imagemill_app.results.job_record import job_record
from imagemill_app.results.planned_shards import planned_shards
from imagemill_app.stores import etag_of, list_etags, read_bytes
from imagemill_contract.document_parts.pictures import Rendition
from imagemill_contract.documents import Shard
from imagemill_contract.keys import Stage, relative_key, stages_of
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Status

# For this many objects or fewer, asking for each result is cheaper than listing all of them.
MAX_ASKED_FOR = 100
LOOKUPS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class _Result:
    """One result: its object, its key below the output, and how it was written."""

    relative: str
    key: str
    written: Outcome | Rendition


def lost_results(
    output: Location,
    run_id: str,
    wanted: Collection[str],
    shard_ids: Collection[str] | None = None,
) -> set[str]:
    """Those of the objects `wanted`, by relative key, whose results are no longer this run's.

    An object without recorded results counts as lost, too. `shard_ids` are the shards that have
    the objects, where that is known.
    """
    present_etag = _present_etags(output, len(wanted))
    seen: set[str] = set()
    lost: set[str] = set()
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        for results in _recorded(output, run_id, wanted, shard_ids):
            seen.update(result.relative for result in results)
            are_there = pool.map(lambda item: _is_there(output, item, present_etag), results)
            pairs = zip(results, are_there, strict=True)
            lost.update(result.relative for result, is_there in pairs if not is_there)
    return lost.union(set(wanted) - seen)


def _recorded(
    output: Location, run_id: str, wanted: Collection[str], shard_ids: Collection[str] | None
) -> Iterator[list[_Result]]:
    """The wanted results that a run has recorded, shard by shard; none without a plan."""
    try:
        for shard in planned_shards(output, run_id, shard_ids):
            for stage in stages_of(shard.recipe):
                yield [item for item in _of_stage(shard, stage) if item.relative in wanted]
    except FileNotFoundError:  # somebody has removed the run's documents
        return


def _of_stage(shard: Shard, stage: Stage) -> Iterator[_Result]:
    for row in job_record(shard, stage).outcomes.values():
        if row.status is Status.WRITTEN and row.output_key:
            relative = relative_key(row.key, shard.source.prefix)
            for written in row.sizes:
                key = relative_key(written.output_key or "", shard.output.prefix)
                yield _Result(relative, key, written)


def _present_etags(output: Location, objects: int) -> Callable[[str], str | None]:
    if objects <= MAX_ASKED_FOR:
        return lambda key: etag_of(output, key)

    @cache
    def listed(folder: str) -> dict[str, str]:  # only when there is an ETag to compare with
        return list_etags(output, folder)

    return lambda key: listed(key[: key.index("/") + 1]).get(key)


def _is_there(output: Location, result: _Result, present_etag: Callable[[str], str | None]) -> bool:
    """Whether a result is there: by its ETag, or else by its content.

    The ETag may not be noted, or differ because a run with the same recipe has written the same
    bytes again.
    """
    written = result.written
    if written.etag and present_etag(result.key) == written.etag:
        return True
    if not written.sha256:
        return False
    try:
        body = read_bytes(output, result.key)
    except FileNotFoundError:
        return False
    return sha256(body).hexdigest() == written.sha256
