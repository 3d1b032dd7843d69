"""The sentence by which a run ends, as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest

from imagemill_app.aggregate.dataset_report import DatasetReport
from imagemill_app.aggregate.verdict_sentence import verdict_sentence
from imagemill_app.results.rival_runs import Contest
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Status
from imagemill_contract.reporting.stage_counts import StageCounts
from imagemill_dataset.index import Entry, IndexedRun

NOBODY = Contest()
W, S, R, F = Status.WRITTEN, Status.SKIPPED, Status.REJECTED, Status.FAILED


Counts = dict[Stage, StageCounts]


def totals(resize: list[Status], edge: list[Status]) -> Counts:
    found = {Stage.RESIZE: resize, Stage.EDGE: edge}
    return {stage: StageCounts.of(len(resize), statuses) for stage, statuses in found.items()}


def run(objects: int, done: int = 0, adopted: dict[str, int] | None = None) -> dict[str, Any]:
    labels = {"unchanged": done} if done else {}
    counts = {"done": labels, "ignored": {"hidden": 2}, "adopted": adopted or {}}
    return {"objects": objects, "refused": 0, **counts}


def sentence_of(
    run: dict[str, Any],
    totals: Counts,
    dataset: DatasetReport | None = None,
    tolerated_percent: float = 0,
    contested: Contest = NOBODY,
) -> str:
    return verdict_sentence(run, totals, contested, dataset, tolerated_percent)


def dataset(samples: int = 3, verified: int = 3, superseded: int = 0) -> DatasetReport:
    older = {"samples": superseded, "shards": 1 if superseded == 1 else 2}
    shards = 1 if samples == 1 else 2
    checked = {"shards": shards, "samples": verified}
    return DatasetReport("webdataset", shards, samples, 10, checked, older, "card")


@pytest.mark.parametrize(
    ("resize", "edge", "sentence"),
    [
        ([W, W, W], [W, W, W], "3 of 3 pictures resized, 3 edge maps, 0 rejected."),
        ([W, R, W], [W, S, R], "2 of 3 pictures resized, 1 edge maps, 2 rejected."),
        (
            [W] * 1234 + [R] * 1000,
            [W] * 1234 + [S] * 1000,
            "1,234 of 2,234 pictures resized, 1,234 edge maps, 1,000 rejected.",
        ),
    ],
)
def test_counts_are_said(resize: list[Status], edge: list[Status], sentence: str) -> None:
    assert sentence_of(run(3), totals(resize, edge)) == sentence


@pytest.mark.parametrize(("tolerated", "judged"), [(0, "above"), (49.9, "above"), (50, "within")])
def test_failures_are_judged_by_what_is_tolerated(tolerated: float, judged: str) -> None:
    sentence = sentence_of(run(4), totals([W, F, W, W], [W, S, F, W]), None, tolerated)
    assert sentence == (
        "3 of 4 pictures resized, 2 edge maps, 0 rejected; 1 failed in resize and 1 in edge: "
        f"50.00 %, {judged} the tolerated {tolerated:g} %."
    )


def test_run_with_nothing_to_do_says_so() -> None:
    sentence = sentence_of(run(0, done=7), totals([], []))
    assert sentence == "Nothing to do: all 7 pictures are done already."
    assert sentence_of(run(0), totals([], [])) == "Nothing to do: left out were 2 hidden."


def test_what_was_done_before_is_said_with_who_did_it() -> None:
    stopped = {"the run that was stopped": 1100}
    sentence = sentence_of(run(1, done=1200, adopted=stopped), totals([W], [W]))
    assert sentence.endswith(
        "; 1,200 were done already; 1,100 of 1,201 were done by the run that was stopped."
    )


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (dataset(), "3 samples in 2 dataset shards, read back and checked."),
        (dataset(1, 1), "1 sample in 1 dataset shard, read back and checked."),
        (dataset(3, 2), "3 samples in 2 dataset shards, of which 2 were read back and checked."),
        (
            dataset(superseded=5),
            "; 5 samples in 2 older shards are superseded; `imagemill compact` removes them.",
        ),
        (
            dataset(superseded=1),
            "; 1 sample in 1 older shard is superseded; `imagemill compact` removes them.",
        ),
        (dataset(0, 0), "3 of 3 pictures resized, 3 edge maps, 0 rejected."),
    ],
)
def test_dataset_is_said_with_what_was_checked_and_superseded(
    report: DatasetReport, said: str
) -> None:
    sentence = sentence_of(run(3), totals([W, W, W], [W, W, W]), report)
    assert sentence.endswith(said)


def test_results_that_two_runs_wrote_are_said_with_the_other_run() -> None:
    rows = {"1.jpg": Entry("e", None, IndexedRun("run-1", "now", "s3://bucket/", {}))}
    contest = Contest(rows, by={"run-2": 1}, of={"run-3": 2})
    sentence = sentence_of(run(1), totals([W], [W]), contested=contest)
    assert "; 1 result overwritten by run-2" in sentence
    assert "2 results of run-3 overwritten by it" in sentence
