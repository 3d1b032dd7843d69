"""Takes over pictures that a stopped run has resized, but whose edges it has not found.

Their rows become the first page of the new jobs' journals, so that only their edges are left to do.
This works for files, which have the same keys in every run. Packed pictures lie in the intermediate
shards of the stopped run, and are resized again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from imagemill_app.plan.earlier.recipe_change import change_of
from imagemill_app.results.job_record import job_record
from imagemill_app.results.planned_shards import shard_addresses, shard_at
from imagemill_app.stores import write_bytes
from imagemill_contract.documents import Shard, SourceObject, encode_journal
from imagemill_contract.errors import ContractError
from imagemill_contract.keys import Stage, journal_key
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Status
from imagemill_contract.recipe import Recipe
from imagemill_dataset.index import IndexedRun

REASON = "new, but resized by the run that was stopped"

# Sorts before the pages that the job's own attempts write.
_PAGE = "000000-taken-over"


@dataclass(frozen=True, slots=True)
class HalfDone:
    """Outcomes of the resize stage that the new run can reuse, by the object's key."""

    rows: Mapping[str, Outcome] = field(default_factory=dict)

    def write_journal(self, shard: Shard) -> None:
        """Leave the rows of a shard's objects to its resize job."""
        rows = [self.rows[item.key] for item in shard.objects if item.key in self.rows]
        if not rows:
            return
        header = {"run_id": shard.run_id, "stage": str(Stage.RESIZE), "shard_id": shard.shard_id}
        key = journal_key(shard.run_id, Stage.RESIZE, shard.shard_id, _PAGE)
        write_bytes(shard.output, key, encode_journal(header, rows))


def half_done(
    runs: Iterable[IndexedRun],
    objects: Iterable[SourceObject],
    source: Location,
    output: Location,
    recipe: Recipe,
) -> HalfDone:
    """Which of `objects`, all of them new, stopped runs have resized by the same recipe."""
    wanted = {item.key: item.etag for item in objects}
    rows: dict[str, Outcome] = {}
    current = recipe.to_document()
    for run in runs:
        if wanted and run.source == str(source) and not change_of(run.recipe, current):
            for item, row in _resized(output, run):
                if wanted.get(item.key) == item.etag:
                    rows[item.key] = row
    return HalfDone(rows)


def _resized(output: Location, run: IndexedRun) -> Iterator[tuple[SourceObject, Outcome]]:
    """What a run has resized. A shard whose documents cannot be read is done again."""
    try:
        addresses = shard_addresses(output, run.run_id)
    except FileNotFoundError:  # it was stopped before it had a plan
        return
    for address in addresses:
        try:
            shard = shard_at(address)
            outcomes = job_record(shard, Stage.RESIZE).outcomes
        except (ContractError, FileNotFoundError):
            continue
        for item in shard.objects:
            row = outcomes.get(item.key)
            if row is not None and row.status is Status.WRITTEN and row.sha256:
                yield item, row
