"""Whatever attempts of a job do, stopped, killed or beside each other, the job ends as in quiet."""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from imagemill_contract import keys
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Status
from imagemill_contract.recipe import Output, Recipe
from imagemill_worker.dataset.intermediate import fetch_intermediate
from imagemill_worker.stores.store import Store
from imagemill_worker.stores.weather import Weather
from tests.helpers.job_world import World
from tests.helpers.stepped_jobs import SteppedAttempt

MOST_ALIVE = 3
MOST_REQUESTS = 40  # of an attempt, tasks included
OUTPUTS = (Location("s3://output"), Location.of_folder(PurePosixPath("/output")))
JOBS = [
    (Output.FILES, Stage.RESIZE),
    (Output.FILES, Stage.EDGE),
    (Output.WEBDATASET, Stage.RESIZE),
    (Output.WEBDATASET, Stage.EDGE),
]


@cache
def quiet(output: Output, stage: Stage, location: Location) -> tuple[object, dict[str, bytes]]:
    """What a job leaves of which there is one attempt: its outcomes, and all results."""
    with prepared(output, stage, location) as world:
        world.run_quietly(stage)
        return ended(world, stage), results(world, stage)


def prepared(output: Output, stage: Stage, location: Location) -> World:
    """A store in which the job of that stage is the next one."""
    world = World(location, Recipe(output=output))
    if stage is Stage.EDGE:
        world.run_quietly(Stage.RESIZE)
    return world


def ended(world: World, stage: Stage) -> object:
    """The outcomes. Which pictures share an intermediate shard depends on the moment."""
    rows = world.outcomes(stage)
    assert rows is not None
    if not (world.shard.recipe.is_packed and stage is Stage.RESIZE):
        return rows
    with TemporaryFile() as file:
        offsets = fetch_intermediate(Store(world.objects, Weather()), rows, file)
        return [
            (row.key, row.status, row.reason, row.sha256, body_at(file, places, row.output_bytes))
            for row, places in zip(rows, offsets, strict=True)
        ]


def body_at(file: Any, places: tuple[int, ...], length: int) -> bytes:
    file.seek(places[0] if places else 0)
    body: bytes = file.read(length)
    return body


def results(world: World, stage: Stage) -> dict[str, bytes]:
    return world.below(*(stage.folder for stage in keys.Stage), keys.DATASET)


def checked(world: World, stage: Stage, location: Location) -> None:
    outcomes, files = quiet(world.shard.recipe.output, stage, location)
    assert ended(world, stage) == outcomes
    assert results(world, stage) == files


@pytest.mark.parametrize("location", OUTPUTS, ids=str)
@pytest.mark.parametrize("job", JOBS, ids=" ".join)
def test_a_job_that_is_killed_at_any_request_ends_as_in_quiet(
    job: tuple[Output, Stage], location: Location
) -> None:
    stage = job[1]
    for requests in range(MOST_REQUESTS):
        with prepared(*job, location) as world:
            first = SteppedAttempt(stage, world.address)
            first.step(requests)
            first.kill()
            world.run_quietly(stage)
            checked(world, stage, location)
    assert first.is_done, "it was never killed at its last request"


@pytest.mark.parametrize("location", OUTPUTS, ids=str)
@pytest.mark.parametrize("job", JOBS, ids=" ".join)
def test_an_attempt_that_is_held_at_any_request_does_no_harm_beside_the_next_one(
    job: tuple[Output, Stage], location: Location
) -> None:
    stage = job[1]
    for requests in range(MOST_REQUESTS):
        with prepared(*job, location) as world:
            held = SteppedAttempt(stage, world.address)
            held.step(requests)
            world.run_quietly(stage)
            held.finish()
            assert held.error is None
            checked(world, stage, location)
    assert held.is_done, "it was never held at its last request"


class Attempts(RuleBasedStateMachine):
    """Attempts of one job, each at some request of its own."""

    job: tuple[Output, Stage]

    @initialize(location=st.sampled_from(OUTPUTS), steps=st.integers(0, MOST_REQUESTS))
    def begin(self, location: Location, steps: int) -> None:
        output, self.stage = self.job
        self.outcomes, self.results = quiet(output, self.stage, location)
        self.world = prepared(output, self.stage, location)
        self.alive: list[SteppedAttempt] = []
        self.start()
        self.alive[0].step(steps)
        self.bury()

    @precondition(lambda self: len(self.alive) < MOST_ALIVE)
    @rule()
    def start(self) -> None:
        self.alive.append(SteppedAttempt(self.stage, self.world.address))

    @precondition(lambda self: self.alive)
    @rule(choice=st.integers(0, MOST_ALIVE - 1), steps=st.integers(1, 15), ticks=st.booleans())
    def go_on(self, choice: int, steps: int, ticks: bool) -> None:
        attempt = self.alive[choice % len(self.alive)]
        attempt.ticks = ticks
        attempt.step(steps)
        self.bury()

    @precondition(lambda self: self.alive)
    @rule(choice=st.integers(0, MOST_ALIVE - 1), is_told=st.booleans())
    def end(self, choice: int, is_told: bool) -> None:
        attempt = self.alive[choice % len(self.alive)]
        if is_told:
            attempt.stopping.set()
        else:
            attempt.kill()
        self.bury()

    @rule(is_stormy=st.booleans(), refuses_pages=st.booleans())
    def change_weather(self, is_stormy: bool, refuses_pages: bool) -> None:
        self.world.is_stormy, self.world.refuses_pages = is_stormy, refuses_pages

    def bury(self) -> None:
        for attempt in self.alive:
            if attempt.is_over:
                assert attempt.error is None, attempt.error
        self.alive = [attempt for attempt in self.alive if not attempt.is_over]

    @invariant()
    def outcome_document_is_the_one_of_a_quiet_run(self) -> None:
        if self.world.outcomes(self.stage) is not None:
            assert ended(self.world, self.stage) == self.outcomes
            assert results(self.world, self.stage) == self.results

    @invariant()
    def what_is_there_is_whole(self) -> None:
        for key, body in results(self.world, self.stage).items():
            assert self.results[key] == body

    @invariant()
    def what_is_noted_is_there(self) -> None:
        written = [
            row
            for page in self.world.pages(self.stage)
            for row in page
            if row.status is Status.WRITTEN
        ]
        for row in written:
            assert row.output_key in self.world.objects.bodies

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.is_stormy = False
            for attempt in self.alive:
                attempt.finish()
            self.bury()
            if self.world.outcomes(self.stage) is None:
                self.world.run_quietly(self.stage)
            self.outcome_document_is_the_one_of_a_quiet_run()
        finally:
            for attempt in self.alive:
                attempt.kill()
            self.world.close()


@pytest.mark.parametrize("job", JOBS, ids=" ".join)
def test_a_job_ends_as_in_quiet_whatever_its_attempts_do(job: tuple[Output, Stage]) -> None:
    of_job = type("AttemptsOfJob", (Attempts,), {"job": job})
    run_state_machine_as_test(
        of_job, settings=settings(max_examples=25, stateful_step_count=25, deadline=None)
    )
