"""Which jobs failed and why, read from what Step Functions and Batch say."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from imagemill_app.aggregate.map_results import JobFailure, job_failures
from imagemill_contract.locations import Location

Row = dict[str, Any]


def failures(folder: Path, *files: tuple[str, list[Row]]) -> dict[str, JobFailure]:
    """What is read from a ResultWriter's files, each of which has a status and rows."""
    result_files: dict[str, list[Row]] = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
    for number, (status, rows) in enumerate(files):
        key = f"map/{status}_{number}.json"
        result_files[status].append({"Key": key, "Size": 1})
        put(folder, key, rows)
    put(folder, "map/manifest.json", {"DestinationBucket": "b", "ResultFiles": result_files})
    return job_failures(Location.of_folder(PurePosixPath(folder)), "map/manifest.json")


def put(folder: Path, key: str, document: object) -> None:
    path = folder / key
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def row(shard_id: str, status: str = "SUCCEEDED", output: object = None, **fields: str) -> Row:
    item = json.dumps({"shard_id": shard_id})
    return {"Input": item, "Status": status, "Output": json.dumps(output or {}), **fields}


def failed_job(cause: str, stage: str = "resize") -> Row:
    failure = {"stage": stage, "error": "States.TaskFailed", "cause": cause}
    return row("00003", output={"failure": failure})


def test_shards_whose_jobs_ended_well_are_none(tmp_path: Path) -> None:
    ended_well = [row("00000", output={"jobs": {"resize": "1"}}), row("00001")]
    assert failures(tmp_path, ("SUCCEEDED", ended_well)) == {}


def test_failure_of_a_job_names_its_stage_attempts_reason_and_exit_code(tmp_path: Path) -> None:
    job = {
        "JobId": "job-7",
        "Attempts": [{}, {}, {}],
        "StatusReason": "Essential container in task exited",
        "Container": {"ExitCode": 75, "LogStreamName": "worker/default/7"},
    }
    found = failures(tmp_path, ("SUCCEEDED", [failed_job(json.dumps(job), "edge")]))
    sentence = (
        "The edge job failed after 3 attempts: Essential container in task exited, exit code 75."
    )
    assert found == {"00003": JobFailure("edge", sentence, "job-7", "worker/default/7")}
    assert str(found["00003"]) == f"{sentence} (job job-7, log stream worker/default/7)"


def test_failure_of_a_job_that_never_started_points_to_no_log(tmp_path: Path) -> None:
    found = failures(tmp_path, ("SUCCEEDED", [failed_job(json.dumps({"JobId": "job-8"}))]))
    assert str(found["00003"]).endswith("no reason was given. (job job-8)")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (
            {"Container": {"Reason": "OutOfMemoryError", "ExitCode": 137}, "StatusReason": "x"},
            "0 attempts: OutOfMemoryError, exit code 137.",
        ),
        ({"StatusReason": "Host EC2 (instance i-1) terminated"}, "(instance i-1) terminated."),
        ({"Container": None, "Attempts": None}, "0 attempts: no reason was given."),
        ({"Container": {"ExitCode": 0}}, "no reason was given, exit code 0."),
    ],
)
def test_whatever_batch_leaves_out_there_is_a_sentence(tmp_path: Path, job: Row, said: str) -> None:
    found = failures(tmp_path, ("SUCCEEDED", [failed_job(json.dumps(job))]))
    assert found["00003"].cause.endswith(said)


def test_cause_that_is_no_job_is_said_as_it_is(tmp_path: Path) -> None:
    found = failures(tmp_path, ("SUCCEEDED", [failed_job("Rate exceeded")]))
    assert str(found["00003"]) == "States.TaskFailed: Rate exceeded"


def test_item_that_failed_outside_its_jobs_has_its_error(tmp_path: Path) -> None:
    rows = [
        row("00001", "FAILED", Error="States.Runtime", Cause="no such field"),
        row("00002", "ABORTED"),
    ]
    found = failures(tmp_path, ("FAILED", rows))
    assert {name: (item.stage, str(item)) for name, item in found.items()} == {
        "00001": ("", "States.Runtime: no such field"),
        "00002": ("", "error: no cause was given"),
    }


def test_all_files_of_all_statuses_are_read(tmp_path: Path) -> None:
    found = failures(
        tmp_path,
        ("SUCCEEDED", [row("00000")]),
        ("SUCCEEDED", [failed_job("one")]),
        ("FAILED", [row("00008", "FAILED")]),
        ("PENDING", [row("00009", "PENDING")]),
    )
    assert sorted(found) == ["00003", "00008", "00009"]
