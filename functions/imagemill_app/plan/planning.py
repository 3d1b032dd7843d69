"""Plans the objects of a slice: leaves out what is done, and cuts the rest into shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from imagemill_app.plan.documents import Plan
from imagemill_app.plan.earlier.deleted import deleted_outputs
from imagemill_app.plan.earlier.half_done import REASON, HalfDone, half_done
from imagemill_app.plan.earlier.known import Known, known_range, known_rows
from imagemill_app.plan.earlier.recipe_change import change_of
from imagemill_app.plan.earlier.remaining import Work, output_test, remaining_work, sample_test
from imagemill_app.plan.earlier.stopped_runs import TakenOver
from imagemill_app.plan.pictures import Pictures, as_they_are_now, each_once
from imagemill_app.plan.sharding import balanced_shards, in_cutting_order
from imagemill_app.plan.sifting.copies_between import Candidate, candidates_of
from imagemill_app.plan.sifting.splits import planned_splits
from imagemill_app.plan.source.existing import Existing
from imagemill_app.plan.source.slices import KeyRange
from imagemill_app.settings import PlanRunSettings
from imagemill_contract.keys import relative_key
from imagemill_contract.locations import Location
from imagemill_contract.requests.request import RunRequest
from imagemill_dataset.index import Entry
from imagemill_dataset.parts.part import Row
from imagemill_dataset.stored_index import StoredIndex


@dataclass(frozen=True, slots=True)
class Planning:
    """What the plans of all slices of a run have in common.

    `slices` is how many slices share the jobs that can run at once, as far as that is known;
    `is_sliced` says whether there are any.
    """

    request: RunRequest
    output: Location
    index: StoredIndex
    taken_over: Sequence[TakenOver]
    settings: PlanRunSettings
    slices: int = 1
    is_sliced: bool = False

    def plan(self, pictures: Pictures, number: int = 0) -> Plan:
        """The plan of the slice with that number.

        It ends before the slice does, at its `keys.until`, if the index knows too many objects
        there that are gone.
        """
        known = self._known(pictures)
        if known.until is not None:
            until = pictures.source.prefix + known.until
            pictures = pictures.within(KeyRange(pictures.keys.after, until))
        if self.request.window is not None:
            pictures = as_they_are_now(pictures, known.entries)
        if self.request.recipe.drop_duplicates:
            pictures = self._each_once(pictures, known)
        why: dict[str, str] | None = {} if self._looks_for_copies else None
        work = self._work(pictures, known.entries, why)
        resized = self._half_done(pictures, known.entries, work)
        if why is not None:
            why.update(dict.fromkeys(resized.rows, REASON))
        prefix = pictures.source.prefix
        shards = balanced_shards(
            in_cutting_order(work.objects, prefix, self.request.recipe),
            self.settings.max_parallel_jobs / self.slices,
            min_shard_seconds=self.settings.min_shard_seconds,
            count=self.request.shards,
        )
        return Plan(
            source=pictures.source,
            output=self.output,
            shards=shards,
            work=_with_half_done(work, resized),
            refused=pictures.refused,
            ignored=pictures.ignored,
            deleted=self._deleted(pictures, known.gone),
            keys=pictures.keys,
            slice_number=number,
            verify_source=self.request.verify_source,
            half_done=resized,
            splits=planned_splits(work.objects, prefix, self.request.recipe, known.entries),
            candidates=[] if why is None else self._candidates(pictures, known, why, work),
        )

    def _each_once(self, pictures: Pictures, known: Known) -> Pictures:
        if self.request.full:
            return each_once(pictures, {})
        earlier = () if self.is_sliced else self._rows_of_this_recipe()
        return each_once(pictures, known.entries, earlier)

    def _rows_of_this_recipe(self) -> Iterator[Row]:
        """What the index has, read only if there is something new, of this recipe's results."""
        current = self.request.recipe.to_document()
        changes: dict[str, str] = {}
        for row in self.index.rows():
            run = row[1].run
            if run.run_id not in changes:
                changes[run.run_id] = change_of(run.recipe, current)
            if not changes[run.run_id]:
                yield row

    @property
    def _looks_for_copies(self) -> bool:
        """Whether other slices may have copies."""
        return self.is_sliced and self.request.recipe.drop_duplicates

    def _candidates(
        self, pictures: Pictures, known: Known, why: Mapping[str, str], work: Work
    ) -> list[Candidate]:
        """What may have copies in other slices."""
        done = {} if self.request.full else known.entries
        to_do = frozenset(item.key for item in work.objects)
        return candidates_of(pictures.objects, pictures.source, done, why, to_do)

    def _known(self, pictures: Pictures) -> Known:
        source, keys = pictures.source, pictures.keys
        if pictures.all_keys is None:
            relatives = [relative_key(item.key, source.prefix) for item in pictures.objects]
            return known_rows(self.index, relatives)
        until = None if keys.until is None else keys.until.removeprefix(source.prefix)
        after = keys.after.removeprefix(source.prefix)
        most = self.settings.slice_objects
        return known_range(self.index, source, after, until, pictures.all_keys, most)

    def _work(
        self, pictures: Pictures, entries: Mapping[str, Entry], why: dict[str, str] | None
    ) -> Work:
        request, objects, prefix = self.request, pictures.objects, pictures.source.prefix
        if request.full:
            if why is not None:
                why.update((item.key, "full") for item in objects)
            return Work(objects, {"full": len(objects)} if objects else {}, {})
        if request.recipe.is_packed:
            has_outputs = sample_test(self.output, self.index, entries)
        else:
            relatives = [relative_key(item.key, prefix) for item in objects]
            has_outputs = output_test(self.output, request.recipe, relatives)
        labels = {other.run.run_id: other.done_label for other in self.taken_over}
        return remaining_work(
            objects,
            prefix,
            request.recipe,
            entries,
            has_outputs,
            labels,
            retry=request.retry,
            why=why,
        )

    def _half_done(self, pictures: Pictures, entries: Mapping[str, Entry], work: Work) -> HalfDone:
        if self.request.full or self.request.recipe.is_packed:
            return HalfDone()
        prefix = pictures.source.prefix
        new = [item for item in work.objects if relative_key(item.key, prefix) not in entries]
        runs = [other.run for other in self.taken_over if other.is_over]
        return half_done(runs, new, pictures.source, self.output, self.request.recipe)

    def _deleted(self, pictures: Pictures, gone: Mapping[str, Entry]) -> dict[str, list[str]]:
        if pictures.all_keys is None:
            return {}
        existing = Existing(pictures.source, pictures.all_keys, pictures.keys)
        return deleted_outputs(gone, pictures.source, existing, self.request.recipe)


def _with_half_done(work: Work, resized: HalfDone) -> Work:
    """The work with a reason of its own for what is half done."""
    if not resized.rows:
        return work
    count = len(resized.rows)
    reasons = {name: found - count * (name == "new") for name, found in work.reasons.items()}
    kept = {name: found for name, found in reasons.items() if found}
    return replace(work, reasons={**kept, REASON: count})
