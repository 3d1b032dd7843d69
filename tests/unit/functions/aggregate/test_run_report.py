from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import pytest

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.run_report import RunVerdict, write_report
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, encode_outcomes
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Recipe

RUN_ID = "run-1"
KEYS = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]

WriteOutcomes = Callable[[Stage, list[Outcome]], None]


class Run:
    """A planned run of one shard whose documents lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = Location.of_folder(PurePosixPath(folder))
        objects = [SourceObject(key, "e", 10) for key in KEYS]
        source = Location.of_folder(PurePosixPath("/photos"))
        shard = Shard(RUN_ID, "00000", source, self.output, Recipe(), objects)
        self.put(keys.shard_key(RUN_ID, "00000"), shard.encode())
        self.put(keys.refused_key(RUN_ID), encode_outcomes({}, []))
        item = {"shard": self.output.address_of(keys.shard_key(RUN_ID, "00000"))}
        self.put(keys.plan_key(RUN_ID), json.dumps([item]).encode())
        self.document = asdict(
            PlannedRun(
                run_id=RUN_ID,
                started="2026-11-23T00:00:00Z",
                source=str(source),
                output=str(self.output),
                recipe=Recipe().to_document(),
                items_key=keys.plan_key(RUN_ID),
                map_results_prefix=keys.map_results_prefix(RUN_ID),
                shards=1,
                objects=len(KEYS),
                refused=0,
                ignored={},
                bytes=40,
            )
        )

    def put(self, key: str, body: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def put_outcomes(self, stage: Stage, outcomes: list[Outcome]) -> None:
        self.put(keys.outcome_key(RUN_ID, stage, "00000"), encode_outcomes({}, outcomes))

    def report(self, failures: dict[str, JobFailure], tolerated_percent: float = 0) -> RunVerdict:
        return write_report(self.document, failures, tolerated_percent)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def written(key: str) -> Outcome:
    return Outcome(key, Status.WRITTEN, output_key=f"out/{key}", output_bytes=5)


def test_rejected_picture_is_listed_and_does_not_fail_the_run(run: Run) -> None:
    bad = Outcome("a.jpg", Status.REJECTED, Reason.TRUNCATED, "It ends too early.")
    skipped = Outcome("a.jpg", Status.SKIPPED, Reason.NO_RESIZED_IMAGE)
    run.put_outcomes(Stage.RESIZE, [bad, *map(written, KEYS[1:])])
    run.put_outcomes(Stage.EDGE, [skipped, *map(written, KEYS[1:])])
    verdict = run.report({})
    assert verdict.verdict == "succeeded"
    report = json.loads((run.folder / keys.report_key(RUN_ID)).read_text())
    assert report["stages"]["resize"] == {
        "planned": 4,
        "written": 3,
        "skipped": 0,
        "rejected": 1,
        "failed": 0,
    }
    assert report["stages"]["edge"]["skipped"] == 1
    assert [(row["key"], row["reason"]) for row in report["rejected"]] == [("a.jpg", "truncated")]
    assert report["output_bytes"] == 30


def test_job_without_document_fails_its_pictures_with_the_cause(run: Run) -> None:
    verdict = run.report({"00000": JobFailure("resize", "The resize job failed.", "job-7")})
    assert verdict.verdict == "failed"
    assert "4 failed in resize and 0 in edge: 100.00 %, above the tolerated 0 %" in verdict.sentence
    report = json.loads((run.folder / keys.report_key(RUN_ID)).read_text())
    assert report["stages"]["edge"]["skipped"] == 4
    assert {row["detail"] for row in report["failed"]} == {"The resize job failed. (job job-7)"}


def test_failed_edge_job_fails_only_pictures_that_were_resized(run: Run) -> None:
    bad = Outcome("a.jpg", Status.REJECTED, Reason.EMPTY)
    run.put_outcomes(Stage.RESIZE, [bad, *map(written, KEYS[1:])])
    verdict = run.report({}, tolerated_percent=75)
    assert verdict.verdict == "succeeded"
    assert verdict.stages["edge"]["failed"] == 3
    assert verdict.stages["edge"]["skipped"] == 1


@pytest.mark.parametrize("rows", [KEYS[:3], [*KEYS, "e.jpg"], ["a.jpg", "a.jpg", "c.jpg", "d.jpg"]])
def test_document_that_lost_or_doubled_an_object_is_no_report(run: Run, rows: list[str]) -> None:
    run.put_outcomes(Stage.RESIZE, [written(key) for key in rows])
    with pytest.raises(DocumentError, match="are not those of its objects"):
        run.report({})
    assert not (run.folder / keys.report_key(RUN_ID)).exists()
