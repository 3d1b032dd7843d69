"""Outcomes are counted, listed up to a limit, and add up to what was planned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_app.aggregate.tally import MAX_LISTED, Counting, failed_percent, listed_document
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Reason, StageCounts, Status

statuses = st.lists(st.sampled_from(Status), max_size=30)


def outcomes(given_ones: list[Status]) -> list[Outcome]:
    return [
        Outcome(str(number), status, None if status is Status.WRITTEN else Reason.CORRUPT)
        for number, status in enumerate(given_ones)
    ]


@given(statuses, st.data())
def test_parts_of_any_size_give_the_counts_of_the_whole(
    resized: list[Status], data: st.DataObject
) -> None:
    edges = data.draw(
        st.lists(st.sampled_from(Status), min_size=len(resized), max_size=len(resized))
    )
    cut = data.draw(st.integers(0, len(resized)))
    counting = Counting()
    for part in (slice(0, cut), slice(cut, None)):
        counting.add(Stage.RESIZE, outcomes(resized)[part])
        counting.add(Stage.EDGE, outcomes(edges)[part])
    totals = counting.tally(len(resized))
    for stage, found in ((Stage.RESIZE, resized), (Stage.EDGE, edges)):
        expected = [found.count(status) for status in Status]
        assert totals.stages[stage] == StageCounts(len(found), *expected)
    listed = [row for rows in totals.listed.values() for row in rows]
    bad = [status for status in (*resized, *edges) if status in (Status.REJECTED, Status.FAILED)]
    assert len(listed) == sum(totals.reasons.values()) == len(bad)


@pytest.mark.parametrize("lost", [Stage.RESIZE, Stage.EDGE])
@pytest.mark.parametrize("change", [-1, 1])
def test_object_that_is_lost_or_doubled_in_a_stage_is_no_tally(lost: Stage, change: int) -> None:
    counting = Counting()
    for stage in Stage:
        count = 5 + (change if stage is lost else 0)
        counting.add(stage, outcomes([Status.WRITTEN] * count))
    with pytest.raises(DocumentError, match=f"5 objects were planned, but {5 + change} have"):
        counting.tally(5)


def test_no_more_are_listed_than_people_read_but_all_are_counted() -> None:
    counting, count = Counting(), MAX_LISTED + 7
    counting.add(Stage.RESIZE, outcomes([Status.REJECTED] * count))
    counting.add(Stage.EDGE, outcomes([Status.FAILED] * count))
    totals = counting.tally(count)
    document = listed_document(totals)
    for status in ("rejected", "failed"):
        rows = document[status]
        assert isinstance(rows, list)
        assert len(rows) == MAX_LISTED
    assert totals.reasons == {"corrupt": 2 * count}
    assert totals.stages[Stage.RESIZE].rejected == count


def test_listed_rows_say_their_stage_and_bytes_are_of_all_stages() -> None:
    counting = Counting()
    counting.add(Stage.RESIZE, [Outcome("a", Status.WRITTEN, output_bytes=10)])
    counting.add(Stage.EDGE, [Outcome("a", Status.FAILED, Reason.JOB_FAILED, "Gone.")])
    document = listed_document(counting.tally(1))
    assert document == {
        "output_bytes": 10,
        "rejected": [],
        "failed": [
            {
                "stage": "edge",
                "key": "a",
                "status": "failed",
                "reason": "job_failed",
                "detail": "Gone.",
            }
        ],
    }


def test_share_of_failures_is_of_what_was_planned_and_counts_both_stages() -> None:
    counting = Counting()
    counting.add(Stage.RESIZE, outcomes([Status.FAILED, *[Status.WRITTEN] * 7]))
    counting.add(Stage.EDGE, outcomes([Status.SKIPPED, Status.FAILED, *[Status.WRITTEN] * 6]))
    assert failed_percent(counting.tally(8)) == 25
    assert failed_percent(Counting().tally(0)) == 0
