"""The documents of a plan: shards, refused and deleted objects, and last the plan itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imagemill_app.labels import numbered_classes
from imagemill_app.plan.classes import classes_of
from imagemill_app.plan.earlier.half_done import HalfDone
from imagemill_app.plan.earlier.remaining import Work
from imagemill_app.results.open_runs import OpenRun, write_open_run
from imagemill_app.stores import write_bytes
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, encode_lines, encode_outcomes
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do. Nothing of it is written yet.

    `deleted` maps each source that is gone to the outputs that belong to it alone.
    """

    source: Location
    output: Location
    shards: list[Sequence[SourceObject]]
    work: Work
    refused: list[Outcome]
    ignored: dict[str, int]
    adopted: dict[str, int]
    deleted: dict[str, list[str]]
    has_dataset: bool
    verify_source: bool = False
    half_done: HalfDone = field(default_factory=HalfDone)


def write_plan(open_run: OpenRun, recipe: Recipe, plan: Plan, bucket: Location) -> None:
    """Write all documents of a run, its marker, and then its plan, which is the commit."""
    run_id = open_run.run_id
    _write_refused(run_id, plan)
    if plan.deleted:
        _write_deleted(run_id, plan)
    items = [_map_item(shard, _write_shard(shard, plan)) for shard in _shards(run_id, recipe, plan)]
    body = json.dumps(items, ensure_ascii=False).encode()
    write_open_run(plan.output, open_run)
    for place in dict.fromkeys([plan.output, bucket]):  # the Map reads its items from a bucket only
        write_bytes(place, keys.plan_key(run_id), body)


def _shards(run_id: str, recipe: Recipe, plan: Plan) -> Iterator[Shard]:
    numbers = _class_numbers(plan) if recipe.label_from_folder else {}
    for index, objects in enumerate(plan.shards):
        shard_id = keys.shard_id_of(index)
        labels = _labels(objects, plan.source.prefix, numbers) if numbers else {}
        places = (plan.source, plan.output)
        yield Shard(run_id, shard_id, *places, recipe, objects, labels, plan.verify_source)


def _class_numbers(plan: Plan) -> Mapping[str, int]:
    names = (classes_of(objects, plan.source.prefix) for objects in plan.shards)
    return numbered_classes(plan.output, set().union(*names))


def _labels(
    objects: Iterable[SourceObject], prefix: str, numbers: Mapping[str, int]
) -> dict[str, int]:
    """The numbers of the classes that a shard has."""
    return {name: numbers[name] for name in sorted(classes_of(objects, prefix))}


def _write_refused(run_id: str, plan: Plan) -> None:
    body = encode_outcomes({"run_id": run_id, "stage": "plan"}, plan.refused)
    write_bytes(plan.output, keys.refused_key(run_id), body)


def _write_deleted(run_id: str, plan: Plan) -> None:
    rows = ({"key": key, "outputs": outputs} for key, outputs in plan.deleted.items())
    body = encode_lines("deleted", {"run_id": run_id}, rows)
    write_bytes(plan.output, keys.deleted_key(run_id), body)


def _write_shard(shard: Shard, plan: Plan) -> str:
    plan.half_done.write_journal(shard)
    return write_bytes(shard.output, keys.shard_key(shard.run_id, shard.shard_id), shard.encode())


def _map_item(shard: Shard, address: str) -> dict[str, object]:
    return {
        "run_id": shard.run_id,
        "shard_id": shard.shard_id,
        "shard": address,
        "objects": len(shard.objects),
        "bytes": shard.total_bytes,
    }
