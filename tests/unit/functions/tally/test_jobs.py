"""What jobs have used: spread over time, the slowest by name, and sums."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.tally.jobs import MAX_DRAWN, MAX_SLOWEST, Jobs
from imagemill_app.tally.timeline import MAX_BINS, Timeline
from imagemill_contract.reporting.usage import Usage

spans = st.tuples(st.floats(1.0e9, 1.0e9 + 50_000), st.floats(0, 4_000), st.integers(0, 5_000))


def usage(began: float, seconds: float) -> Usage:
    return Usage(1, seconds, seconds, seconds / 2, 10, {"get": 1}, began, began + seconds)


@given(st.lists(spans, max_size=30))
def test_a_timeline_has_all_objects_in_few_bins(
    jobs: list[tuple[float, float, int]],
) -> None:
    whole, merged = Timeline(), Timeline()
    for began, seconds, objects in jobs:
        whole.add(began, began + seconds, objects)
        part = Timeline()
        part.add(began, began + seconds, objects)
        merged.merge(part)
    assert sum(whole.bins.values()) == pytest.approx(sum(job[2] for job in jobs), abs=0.01)
    assert whole.width_seconds == merged.width_seconds
    assert whole.bins == pytest.approx(merged.bins, abs=0.01)
    if whole.bins:
        assert max(whole.bins) - min(whole.bins) < MAX_BINS


def test_the_slowest_jobs_are_named_and_only_some_are_drawn() -> None:
    jobs = Jobs()
    for number in range(1_000):
        seconds = 100.0 if number == 417 else 10.0 + number / 1000
        jobs.add(f"{number:05d}", usage(1.0e9, seconds), 5)
    assert jobs.count == 1_000
    assert jobs.slowest()[0]["shard_id"] == "00417"
    assert len(jobs.slowest()) == MAX_SLOWEST
    assert len(jobs.drawn()) == MAX_DRAWN
    assert jobs.times[(100_000).bit_length()] == 1
    assert jobs.usage.requests == {"get": 1_000}
    assert jobs.usage.busy_ratio == 0.5


def test_jobs_that_do_not_say_when_they_ran_are_in_the_sums_alone() -> None:
    jobs = Jobs()
    jobs.add("00000", Usage(seconds=3.0), 5)
    assert jobs.usage.seconds == 3
    assert jobs.timeline.bins == {}
    assert Jobs().usage.busy_ratio is None
