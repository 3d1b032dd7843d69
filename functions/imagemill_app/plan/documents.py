"""The documents of a plan: shards, refused and deleted objects, and last the plan itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imagemill_app.plan.earlier.half_done import HalfDone
from imagemill_app.plan.earlier.remaining import Work
from imagemill_app.plan.sifting.classes import classes_of
from imagemill_app.plan.sifting.copies_between import Candidate
from imagemill_app.plan.source.slices import ALL_KEYS, KeyRange
from imagemill_app.plan.totals import PlanTotals
from imagemill_app.results.open_runs import OpenRun, write_open_run
from imagemill_app.stores import write_bytes
from imagemill_contract import keys as grammar
from imagemill_contract.document_parts.lines import encode_lines
from imagemill_contract.documents import Shard, SourceObject, encode_outcomes
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome
from imagemill_contract.recipe import Recipe

_NO_NUMBERS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do to the objects of a slice. Nothing of it is written yet.

    `deleted` maps each source that is gone to the outputs that belong to it alone; `keys` is the
    range of keys that it is about. `splits` are those that names alone do not decide, by keys;
    `candidates` what may have copies in other slices.
    """

    source: Location
    output: Location
    shards: Sequence[Sequence[SourceObject]]
    work: Work
    refused: Sequence[Outcome]
    ignored: Mapping[str, int]
    deleted: Mapping[str, list[str]]
    keys: KeyRange = ALL_KEYS
    slice_number: int = 0
    verify_source: bool = False
    half_done: HalfDone = field(default_factory=HalfDone)
    splits: Mapping[str, str] = field(default_factory=dict)
    candidates: Sequence[Candidate] = ()

    def classes(self) -> set[str]:
        """The classes of the objects in its shards."""
        names = (classes_of(objects, self.source.prefix) for objects in self.shards)
        return set().union(*names)

    def totals(self, run_id: str, recipe: Recipe) -> PlanTotals:
        """Its sums, and the items of its shards, all with that recipe."""
        items = [self._map_item(run_id, place, recipe) for place in range(len(self.shards))]
        is_empty = not (items or self.refused or self.deleted)
        return PlanTotals(
            items=items,
            slices=[] if is_empty else [self.slice_number],
            objects=sum(map(len, self.shards)),
            bytes=sum(item.bytes for shard in self.shards for item in shard),
            refused=len(self.refused),
            deleted=len(self.deleted),
            to_do=self.work.reasons,
            done=self.work.done,
            ignored=self.ignored,
        )

    def _map_item(self, run_id: str, place: int, recipe: Recipe) -> dict[str, object]:
        shard_id = grammar.shard_id_of(place, self.slice_number)
        key = self.output.prefix + grammar.shard_key(run_id, shard_id)
        return {
            "run_id": run_id,
            "shard_id": shard_id,
            "shard": self.output.address_of(key),
            "stages": list(map(str, grammar.stages_of(recipe))),
            "objects": len(self.shards[place]),
            "bytes": sum(item.bytes for item in self.shards[place]),
        }


def write_slice(
    run_id: str, recipe: Recipe, plan: Plan, numbers: Mapping[str, int] = _NO_NUMBERS
) -> None:
    """Write the shards of a slice, and what else is in it. `numbers` are those of classes."""
    _write_refused(run_id, plan)
    if plan.deleted:
        _write_deleted(run_id, plan)
    for shard in _shards(run_id, recipe, plan, numbers):
        plan.half_done.write_journal(shard)
        write_bytes(shard.output, grammar.shard_key(run_id, shard.shard_id), shard.encode())


def write_plan(open_run: OpenRun, output: Location, totals: PlanTotals, bucket: Location) -> None:
    """Write the marker of a run, and then its plan, which is the commit."""
    body = json.dumps(totals.items, ensure_ascii=False).encode()
    write_open_run(output, open_run)
    for place in dict.fromkeys([output, bucket]):  # the Map reads its items from a bucket only
        write_bytes(place, grammar.plan_key(open_run.run_id), body)


def _shards(run_id: str, recipe: Recipe, plan: Plan, numbers: Mapping[str, int]) -> Iterator[Shard]:
    for place, objects in enumerate(plan.shards):
        shard_id = grammar.shard_id_of(place, plan.slice_number)
        labels = _labels(objects, plan.source.prefix, numbers) if numbers else {}
        places = (plan.source, plan.output)
        splits = {item.key: plan.splits[item.key] for item in objects if item.key in plan.splits}
        yield Shard(
            run_id,
            shard_id,
            *places,
            recipe,
            objects,
            labels,
            verify_source=plan.verify_source,
            splits=splits,
        )


def _labels(
    objects: Iterable[SourceObject], prefix: str, numbers: Mapping[str, int]
) -> dict[str, int]:
    """The numbers of the classes that a shard has."""
    return {name: numbers[name] for name in sorted(classes_of(objects, prefix))}


def _write_refused(run_id: str, plan: Plan) -> None:
    body = encode_outcomes({"run_id": run_id, "stage": "plan"}, plan.refused)
    write_bytes(plan.output, grammar.refused_key(run_id, plan.slice_number), body)


def _write_deleted(run_id: str, plan: Plan) -> None:
    rows = ({"key": key, "outputs": outputs} for key, outputs in plan.deleted.items())
    body = encode_lines("deleted", {"run_id": run_id}, rows)
    write_bytes(plan.output, grammar.deleted_key(run_id, plan.slice_number), body)
