"""A round of jobs in a folder, or in an S3 that fails, under plan and report of the real code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random

from benchmarks.chaos import pictures
from benchmarks.chaos.blows import Blow, Ring, blows_of_job
from benchmarks.chaos.checks import Expected
from benchmarks.chaos.faults import Harm, drawn_harms, flip_of_source
from benchmarks.chaos.places import BucketPlace, FolderPlace, Place
from benchmarks.chaos.rounds import Ground, Judge, Told, drawn_recipe
from benchmarks.chaos.steps import BlowsOf, StepRun
from imagemill_contract.keys import Stage
from tests.helpers.faults.proxy import FaultProxy


@dataclass
class StepRound:
    """One round of a seed; `name` is in its folders and buckets."""

    ground: Ground
    random: Random
    name: str
    output: str
    told: Told = field(default_factory=Told)

    def run(self) -> Told:
        self.base = self.ground.folder / self.name
        self.base.mkdir()
        self.judge = Judge(self.told, self.base, self.ground.s3)
        with self._place() as (place, proxy):
            self._run(place, proxy)
        return self.told

    @contextmanager
    def _place(self) -> Iterator[tuple[Place, FaultProxy | None]]:
        if self.random.random() < 0.3:
            yield FolderPlace(self.base), None
            return
        s3 = self.ground.s3
        with FaultProxy(s3.endpoint_url, seed=self.random.getrandbits(32)) as proxy:
            place = BucketPlace(s3, proxy.endpoint_url, self.name)
            yield place, proxy
            self.told.violations += [str(error) for error in proxy.upstream_errors]
        place.clear()

    def _run(self, place: Place, proxy: FaultProxy | None) -> None:
        random, told = self.random, self.told
        drawn = pictures.drawn(random, 50, in_bucket=proxy is not None)
        place.fill(drawn)
        recipe = drawn_recipe(random, self.output)
        harms = drawn_harms(random, list(drawn), place.source.prefix) if proxy else []
        spoiled = frozenset[str]().union(*(harm.spoiled for harm in harms))
        expected = self.ground.expected(drawn, recipe, place.source.prefix, spoiled)
        first = self._step_run(place, recipe, 1)
        first.picture_seconds = random.uniform(0.0, 0.03)
        self._disturb(first, proxy, harms)
        told.what = {
            "of": f"jobs, {'folder' if proxy is None else 'bucket'}",
            "pictures": len(drawn),
            "recipe": recipe,
            "harms": [harm.name for harm in harms],
            "codes": first.codes,
            "abandoned": first.abandoned.is_set(),
        }
        is_alone = not (first.abandoned.is_set() and random.random() < 0.5)
        if is_alone:
            first.bury()  # else its processes are there beside the next run
        locked: Mapping[str, object] = {"alone": True} if is_alone and place.output.is_file else {}
        if first.abandoned.is_set():
            self.judge.unreported(place.files(), expected)
        else:
            first.report()
            self.judge.run(place.files(), first.run_id, expected)
        self._repair(place, recipe, replace(expected, spoiled=frozenset()), first, locked)

    def _repair(
        self,
        place: Place,
        recipe: dict[str, object],
        expected: Expected,
        first: StepRun,
        locked: Mapping[str, object],
    ) -> None:
        run = self._step_run(place, recipe, 2)
        run.plan(**locked)
        run.work()
        run.report()
        self.told.what["then"] = self.judge.repaired(place.files(), run.run_id, expected)
        first.bury()
        run = self._step_run(place, recipe, 3)
        run.plan(**locked)
        run.work()
        run.report()
        in_folder = place.output.is_file
        # in a folder nobody knows for sure, without the lock, that a stopped run is over
        is_left = in_folder and first.abandoned.is_set() and not locked
        open_ids = [first.run_id] if is_left else []
        self.judge.idle(place.files(), run.run_id, expected, open_ids, in_folder=in_folder)

    def _step_run(self, place: Place, recipe: dict[str, object], number: int) -> StepRun:
        self.told.runs += 1
        run_id = f"run-{self.name}-{number}"
        ring = Ring(self.told.blows)
        return StepRun(place, run_id, recipe, self.base, ring, self.ground.pace)

    def _disturb(self, run: StepRun, proxy: FaultProxy | None, harms: list[Harm]) -> None:
        """Plan and work under faults and blows, to the end or until the run is abandoned."""
        random = self.random
        fields: dict[str, object] = {"alone": True} if proxy is None else {}
        if proxy and random.random() < 0.5:
            fields["verify_source"] = True
            harms.append(flip_of_source(random, run.place.source.prefix))
        run.plan(shards=random.choice((1, 1, 2, 3)), **fields)
        rules = [(harm.name, proxy.add(harm.fault)) for harm in harms if proxy]
        number = random.choice((signal.SIGKILL, signal.SIGTERM))
        timer = threading.Timer(random.uniform(0.2, 2.5), run.abandon, [number])
        if random.random() < 0.3:
            timer.start()
        ends = max(0, 3 - sum(harm.attempts for harm in harms))
        run.work(_blows(random.getrandbits(32), ends))
        timer.cancel()
        if proxy:
            proxy.remove()
        for name, rule in rules:
            self.told.faults[name] += rule.count
        self.told.blows["run abandoned"] += run.abandoned.is_set()


def _blows(seed: int, most_ends: int) -> BlowsOf:
    def blows_of(stage: Stage, shard: int) -> list[list[Blow]]:
        return blows_of_job(Random(f"{seed}/{stage}/{shard}"), most_ends)

    return blows_of
