from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

import pytest

from imagemill_app.aggregate.map_results import JobFailure
from imagemill_app.aggregate.run_report import RunVerdict, write_report
from imagemill_app.plan.planned_run import PlannedRun
from imagemill_contract import keys
from imagemill_contract.documents import (
    Shard,
    SourceObject,
    decode_outcomes,
    encode_outcomes,
)
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.recipe import Recipe
from imagemill_contract.reporting.run_list import decode_runs
from imagemill_contract.reporting.run_report import decode_report

RUN_ID, ENDED = "run-1", "2026-11-23T00:01:30.000Z"
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
        return write_report(self.document, failures, tolerated_percent, ENDED)


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
    for stage, status in ((Stage.RESIZE, Status.FAILED), (Stage.EDGE, Status.SKIPPED)):
        header, outcomes = decode_outcomes(
            (run.folder / keys.outcome_key(RUN_ID, stage, "00000")).read_bytes()
        )
        assert header["written_by"] == "aggregate_run"
        assert [(row.key, row.status) for row in outcomes] == [(key, status) for key in KEYS]


def test_a_report_of_pictures_without_a_job_is_the_same_the_second_time(run: Run) -> None:
    run.put_outcomes(Stage.RESIZE, list(map(written, KEYS)))
    failure = {"00000": JobFailure("edge", "The edge job failed.", "job-8")}
    verdict = run.report(failure)
    first = (run.folder / keys.report_key(RUN_ID)).read_bytes()
    assert run.report({}) == verdict
    assert (run.folder / keys.report_key(RUN_ID)).read_bytes() == first


def test_an_object_in_two_shards_is_no_report(run: Run) -> None:
    shard = Shard.decode((run.folder / keys.shard_key(RUN_ID, "00000")).read_bytes())
    other = replace(shard, shard_id="00001", objects=shard.objects[1:2])
    run.put(keys.shard_key(RUN_ID, "00001"), other.encode())
    names = ("00000", "00001")
    items = [{"shard": run.output.address_of(keys.shard_key(RUN_ID, name))} for name in names]
    run.put(keys.plan_key(RUN_ID), json.dumps(items).encode())
    with pytest.raises(DocumentError, match=r"1 objects of shard 00001 .* too: b.jpg"):
        run.report({})


def test_the_run_is_in_the_list_of_runs(run: Run) -> None:
    run.put_outcomes(Stage.RESIZE, list(map(written, KEYS)))
    run.put_outcomes(Stage.EDGE, list(map(written, KEYS)))
    verdict = run.report({})
    (row,) = decode_runs((run.folder / keys.RUN_LIST).read_bytes())
    assert (row.run_id, row.verdict, row.written, row.failed) == (RUN_ID, "succeeded", 4, 0)
    assert (row.ended, row.report) == (ENDED, verdict.report)
    report = decode_report((run.folder / keys.report_key(RUN_ID)).read_bytes())
    assert report["seconds"] == 90


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
    wrong = sorted({*KEYS} ^ {*rows}) or ["a.jpg", "b.jpg"]
    with pytest.raises(DocumentError, match="are not those of its objects") as error:
        run.report({})
    assert all(key in str(error.value) for key in wrong)
    assert not (run.folder / keys.report_key(RUN_ID)).exists()
