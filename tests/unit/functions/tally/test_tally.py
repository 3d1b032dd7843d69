"""Tallies add up to what was planned, keep their size, and merge in any order."""

from __future__ import annotations

import json
import random
from dataclasses import astuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.tally.problems import MAX_EXAMPLES, MAX_LISTED
from imagemill_app.tally.sources import format_of
from imagemill_app.tally.tally import Tally, failed_percent
from imagemill_contract.documents import SourceObject
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.outcomes import Outcome, Reason, Status, outcome_columns
from imagemill_contract.recipe import Recipe
from imagemill_contract.reporting.previews import Preview
from imagemill_contract.reporting.sampling import MAX_PREVIEWS, MAX_SAMPLES, drawing
from imagemill_contract.reporting.stage_counts import StageCounts
from imagemill_contract.reporting.usage import Usage

statuses = st.lists(st.sampled_from(Status), max_size=30)
EXTENSIONS = (".jpg", ".PNG", ".tif", "", ".xyz")


def outcome(key: str, status: Status) -> Outcome:
    if status is Status.WRITTEN:
        return Outcome(key, status, output_key=f"out/{key}", output_bytes=len(key))
    return Outcome(key, status, Reason.CORRUPT, "It is broken.")


def turned(found: dict[Stage, list[Outcome]]) -> dict[Stage, Any]:
    return {stage: outcome_columns(outcomes) for stage, outcomes in found.items()}


def tally_of(resized: list[Status], edges: list[Status], first: int = 0) -> Tally:
    """A tally of objects with these outcomes, whose numbers begin with `first`."""
    tally = Tally.begun("seed", stages_of(Recipe()))
    for number, (picture, edge) in enumerate(zip(resized, edges, strict=True), first):
        key = f"{number:06d}{EXTENSIONS[number % len(EXTENSIONS)]}"
        source = SourceObject(key, "e", 1000 + number * 37)
        found = {Stage.RESIZE: [outcome(key, picture)], Stage.EDGE: [outcome(key, edge)]}
        tally.add_shard([source], turned(found))
    usage = Usage(1, 2.0, 2.0, 1.5, 100, {"get": 3}, 1000.0 + first, 1002.0 + first)
    tally.add_job(Stage.RESIZE, f"{first:05d}", usage, len(resized))
    return tally


def plain(tally: Tally) -> dict[str, Any]:
    """The document with numbers rounded as it is read back."""
    document: dict[str, Any] = json.loads(json.dumps(tally.to_document()))
    return document


@given(st.lists(st.tuples(st.sampled_from(Status), st.sampled_from(Status)), max_size=40))
def test_parts_merge_in_any_order_to_the_whole(pairs: list[tuple[Status, Status]]) -> None:
    parts = [tally_of([pair[0]], [pair[1]], number) for number, pair in enumerate(pairs)]
    shuffled = list(parts)
    random.Random(len(pairs)).shuffle(shuffled)
    forward, other = (
        Tally.begun("seed", stages_of(Recipe())),
        Tally.begun("seed", stages_of(Recipe())),
    )
    for part in parts:
        forward.merge(part)
    for part in shuffled:
        other.merge(Tally.from_document(plain(part)))
    assert plain(forward) == plain(other)
    assert plain(Tally.from_document(plain(forward))) == plain(forward)
    for stage, place in ((Stage.RESIZE, 0), (Stage.EDGE, 1)):
        found = [pair[place] for pair in pairs]
        expected = [found.count(status) for status in Status]
        assert forward.stages(len(pairs))[stage] == StageCounts(len(found), *expected)
    bad = [item for pair in pairs for item in pair if item in (Status.REJECTED, Status.FAILED)]
    assert sum(row["count"] for row in forward.problems.rows()) == len(bad)
    assert sum(forward.problems.reasons().values()) == len(bad)
    assert forward.sources.sizes.total() == len(pairs)


def test_a_tally_of_a_hundred_thousand_objects_is_no_larger_than_one_of_ten_thousand() -> None:
    sizes = []
    for count in (10_000, 100_000):
        kinds = [Status.WRITTEN, Status.REJECTED, Status.FAILED, Status.WRITTEN]
        tally = tally_of(kinds * (count // 4), list(reversed(kinds)) * (count // 4))
        sizes.append(len(json.dumps(tally.to_document())))
    assert sizes[1] < 1.01 * sizes[0]


@pytest.mark.parametrize("change", [-1, 1])
def test_object_that_is_lost_or_doubled_is_no_run(change: int) -> None:
    count = 5 + change
    tally = tally_of([Status.WRITTEN] * count, [Status.WRITTEN] * count)
    with pytest.raises(DocumentError, match=f"5 objects were planned, but {count} have"):
        tally.stages(5)


def test_no_more_are_listed_than_people_read_but_all_are_counted() -> None:
    count = MAX_LISTED + 7
    tally = tally_of([Status.REJECTED] * count, [Status.FAILED] * count)
    for status in (Status.REJECTED, Status.FAILED):
        rows = tally.problems.listed(status)
        assert len(rows) == MAX_LISTED
        assert [row["key"] for row in rows] == sorted(str(row["key"]) for row in rows)
    assert tally.problems.reasons() == {"corrupt": 2 * count}
    assert {len(row["examples"]) for row in tally.problems.rows()} == {MAX_EXAMPLES}
    assert tally.stages(count)[Stage.RESIZE].rejected == count


def test_a_problem_says_its_stage_reason_bytes_and_first_examples() -> None:
    tally = Tally.begun("seed", stages_of(Recipe()))
    for key, size in (("b.jpg", 20), ("a.jpg", 10)):
        gone = Outcome(key, Status.FAILED, Reason.JOB_FAILED, "Gone.")
        found = {Stage.RESIZE: [outcome(key, Status.WRITTEN)], Stage.EDGE: [gone]}
        tally.add_shard([SourceObject(key, "e", size)], turned(found))
    assert tally.problems.rows() == [
        {
            "stage": "edge",
            "status": "failed",
            "reason": "job_failed",
            "count": 2,
            "bytes": 30,
            "examples": [
                {"key": "a.jpg", "bytes": 10, "detail": "Gone."},
                {"key": "b.jpg", "bytes": 20, "detail": "Gone."},
            ],
        }
    ]
    listed = tally.problems.listed(Status.FAILED)[0]
    assert listed == {
        "stage": "edge",
        "key": "a.jpg",
        "status": "failed",
        "reason": "job_failed",
        "detail": "Gone.",
    }
    assert tally.output_bytes[Stage.RESIZE] == 10


def test_the_sample_is_drawn_by_its_seed_from_objects_with_both_results() -> None:
    kinds = [Status.WRITTEN, Status.REJECTED]
    tally = tally_of(kinds * 500, [Status.WRITTEN] * 1000)
    drawn = [row["key"] for row in tally.sources.samples()]
    assert len(drawn) == MAX_SAMPLES
    assert {int(key[:6]) % 2 for key in drawn} == {0}
    assert drawn != sorted(drawn)
    again = tally_of(kinds * 500, [Status.WRITTEN] * 1000)
    assert [row["key"] for row in again.sources.samples()] == drawn


def test_previews_that_jobs_draw_for_themselves_are_those_of_the_sample() -> None:
    whole = Tally.begun("seed", stages_of(Recipe()))
    for first in range(0, 1000, 100):
        part = tally_of([Status.WRITTEN] * 100, [Status.WRITTEN] * 100, first)
        keys = [f"{n:06d}{EXTENSIONS[n % len(EXTENSIONS)]}" for n in range(first, first + 100)]
        drawn = sorted(keys, key=drawing("seed"))[:MAX_PREVIEWS]  # as a job does
        part.sources.add_previews(Preview(key, f"resized {key}", f"edges {key}") for key in drawn)
        whole.merge(Tally.from_document(plain(part)))
    found = whole.sources.previews()
    assert len(found) == MAX_PREVIEWS
    assert found.keys() >= {row["key"] for row in whole.sources.samples()}
    assert all(item.resized == f"resized {key}" for key, item in found.items())


def test_a_tally_of_before_there_were_previews_has_none() -> None:
    document = plain(tally_of([Status.WRITTEN], [Status.WRITTEN]))
    del document["sources"]["previews"]
    assert Tally.from_document(document).sources.previews() == {}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        *(("a/b.JPG", "jpeg"), ("x.jpe", "jpeg"), ("x.tif", "tiff"), ("x.heif", "heic")),
        *(("x.exe", "other"), ("folder.jpg/x", "no extension"), ("x.", "other")),
    ],
)
def test_formats_are_told_by_extension_and_are_few(key: str, name: str) -> None:
    assert format_of(key) == name


def test_a_refused_object_counts_in_both_stages() -> None:
    tally = Tally.begun("seed", stages_of(Recipe()))
    tally.add_refused(Outcome("a", Status.REJECTED, Reason.NO_LABEL))
    counts = tally.stages(1)
    assert astuple(counts[Stage.RESIZE]) == (1, 0, 0, 1, 0)
    assert astuple(counts[Stage.EDGE]) == (1, 0, 1, 0, 0)


def test_a_tally_keeps_the_stages_it_was_begun_with_when_it_is_stored_and_merged() -> None:
    whole, part = (Tally.begun("seed", [Stage.RESIZE]) for _ in range(2))
    part.add_refused(Outcome("a", Status.REJECTED, Reason.NO_LABEL))
    part.add_job(Stage.RESIZE, "00000", Usage(1, 2.0, 2.0, 1.5, 100, {}, 1000.0, 1002.0), 1)
    whole.merge(Tally.from_document(plain(part)))
    assert plain(whole) == plain(part)
    assert {stage: counts.rejected for stage, counts in whole.stages(1).items()} == {
        Stage.RESIZE: 1
    }


def test_share_of_failures_is_of_what_was_planned_and_counts_both_stages() -> None:
    failed, written = Status.FAILED, Status.WRITTEN
    tally = tally_of([failed, *[written] * 7], [Status.SKIPPED, failed, *[written] * 6])
    assert failed_percent(tally.stages(8)) == 25
    assert failed_percent(Tally.begun("", stages_of(Recipe())).stages(0)) == 0


def test_a_tally_of_another_version_is_refused() -> None:
    with pytest.raises(DocumentError, match="not a tally of version 1"):
        Tally.from_document({"v": 2})
