"""The list of runs: rows are added and replaced, the newest first."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from imagemill_contract.errors import DocumentError
from imagemill_contract.reporting import run_list
from imagemill_contract.reporting.run_list import RunRow, decode_runs, with_run

ROW = RunRow(
    run_id="run-1",
    started="2026-11-23T10:00:00Z",
    ended="2026-11-23T10:05:00Z",
    verdict="succeeded",
    sentence="3 of 3 pictures resized.",
    source="s3://in/",
    output="s3://out/",
    planned=3,
    written=3,
    rejected=0,
    failed=0,
    bytes=30,
    dollars=0.01,
    report="s3://out/runs/run-1/report.json",
)
LATER = replace(ROW, run_id="run-2", started="2026-11-23T11:00:00Z", dollars=None)


def test_the_newest_run_comes_first_and_a_row_is_replaced_by_its_id() -> None:
    body = with_run(with_run(None, ROW), LATER)
    assert decode_runs(body) == [LATER, ROW]
    again = replace(ROW, verdict="failed")
    assert decode_runs(with_run(body, again)) == [LATER, again]


def test_names_of_a_later_program_are_left_out() -> None:
    document = json.loads(with_run(None, ROW))
    document["runs"][0]["colour"] = "blue"
    assert decode_runs(json.dumps(document).encode()) == [ROW]


def test_the_oldest_rows_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_list, "MAX_RUNS", 1)
    assert decode_runs(with_run(with_run(None, LATER), ROW)) == [LATER]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"v": 2, "runs": []}', "is of version 2, not 1"),
        (b'{"v": 1, "runs": [{}]}', "cannot be read"),
    ],
)
def test_what_is_no_list_of_runs_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        decode_runs(body)
