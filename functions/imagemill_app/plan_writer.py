"""Carries out a request for a run up to its plan: resolves, lists, packs and writes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from imagemill_app.listing import Listing, list_source
from imagemill_app.planning import balanced_shards, without_collisions
from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_app.stores import read_bytes, write_bytes
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_lines, encode_outcomes
from imagemill_contract.errors import ContractError
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.request import RunRequest


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run whose plan is written. Travels through the state machine: pointers and counts only."""

    run_id: str
    started: str
    source: str
    output: str
    recipe: dict[str, object]
    items_key: str
    map_results_prefix: str
    shards: int
    objects: int
    refused: int
    ignored: dict[str, int]
    bytes: int


def plan_run(
    run_id: str, started: str, request: RunRequest, settings: PlanRunSettings
) -> PlannedRun:
    """Write the shards of a run and then its plan, which is the commit.

    Raises RunRefused with one sentence when there is nothing that could be run.
    """
    bucket = Location(f"s3://{settings.output_bucket_name}")
    output = _checked_output(request, bucket)
    if request.source is not None:
        _check_apart(request.source, output)
    source, listing = _gathered(request, bucket)
    unique = without_collisions(listing.objects, source.prefix, request.recipe.format)
    refused = [*listing.refused, *unique.refused]
    if not unique.kept and not refused:
        raise RunRefused(f'source: there are no pictures at "{source}"{_ignored_text(listing)}.')
    shards = [
        Shard(run_id, keys.shard_id_of(index), source, output, request.recipe, objects)
        for index, objects in enumerate(balanced_shards(unique.kept, settings.max_parallel_jobs))
    ]
    _write_refused(run_id, output, refused)
    items = [_map_item(shard, _write_shard(shard)) for shard in shards]
    plan = json.dumps(items, ensure_ascii=False).encode()
    for place in dict.fromkeys([output, bucket]):  # the Map reads its items from a bucket only
        write_bytes(place, keys.plan_key(run_id), plan)
    return PlannedRun(
        run_id=run_id,
        started=started,
        source=str(source),
        output=str(output),
        recipe=request.recipe.to_document(),
        items_key=keys.plan_key(run_id),
        map_results_prefix=keys.map_results_prefix(run_id),
        shards=len(shards),
        objects=len(unique.kept),
        refused=len(refused),
        ignored=listing.ignored,
        bytes=sum(item.bytes for item in unique.kept),
    )


def _gathered(request: RunRequest, bucket: Location) -> tuple[Location, Listing]:
    if request.source is not None:
        return request.source, list_source(request.source)
    try:
        header, rows = decode_lines("group", read_bytes(bucket, str(request.upload)))
    except FileNotFoundError:
        raise RunRefused(f'upload: there is no group document "{request.upload}".') from None
    source = Location.parse(header.get("source"), "group.source")
    return source, Listing(objects=[SourceObject.from_row(row) for row in rows])


def _checked_output(request: RunRequest, bucket: Location) -> Location:
    """Where results go. The jobs may write to the stack's own bucket only, or to a folder."""
    output = request.output or bucket
    if not output.is_file and output != bucket:
        raise RunRefused(f'output: "{output}" is not allowed; it must be "{bucket}".')
    return output


def _check_apart(source: Location, output: Location) -> None:
    if source.contains(output) or output.contains(source):
        raise RunRefused(
            f'output: "{output}" and the source "{source}" must not lie in each other, '
            "or results would become sources."
        )


def _ignored_text(listing: Listing) -> str:
    parts = [f"{count} {reason}" for reason, count in listing.ignored.items()]
    return f" (left out: {', '.join(parts)})" if parts else ""


def _write_refused(run_id: str, output: Location, refused: list[Outcome]) -> None:
    body = encode_outcomes({"run_id": run_id, "stage": "plan"}, refused)
    write_bytes(output, keys.refused_key(run_id), body)


def _write_shard(shard: Shard) -> str:
    return write_bytes(shard.output, keys.shard_key(shard.run_id, shard.shard_id), shard.encode())


def _map_item(shard: Shard, address: str) -> dict[str, object]:
    return {
        "run_id": shard.run_id,
        "shard_id": shard.shard_id,
        "shard": address,
        "objects": len(shard.objects),
        "bytes": shard.total_bytes,
    }


def request_of(document: object, *, allow_files: bool) -> RunRequest:
    """The request in an execution's input. Raises RunRefused."""
    try:
        return RunRequest.from_document(document, allow_files=allow_files)
    except ContractError as error:
        raise RunRefused(str(error)) from None


def checked_run_id(run_id: str) -> str:
    """Raises RunRefused for an execution name that cannot be a folder."""
    try:
        return keys.check_run_id(run_id)
    except ContractError as error:
        raise RunRefused(str(error)) from None
