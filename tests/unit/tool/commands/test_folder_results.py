"""runs, report and failures over the results in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagemill_contract import keys
from imagemill_contract.documents import encode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Reason, Status
from imagemill_contract.reporting.run_list import RunRow, encode_runs
from imagemill_contract.reporting.run_report import REPORT_VERSION
from tests.helpers.commands import called

COUNTS = {"planned": 3, "written": 1, "skipped": 0, "rejected": 2, "failed": 0}


def row(key: str, reason: Reason = Reason.EMPTY) -> dict[str, object]:
    outcome = Outcome(key, Status.REJECTED, reason, "It is so.")
    return {"stage": "resize", **outcome.to_row()}


def report(out: Path, run_id: str, **changes: Any) -> None:
    """Leave the report of a run, as AggregateRun writes it."""
    document = {
        "run_id": run_id,
        "v": REPORT_VERSION,
        "started": started(run_id),
        "source": "file:///photos/",
        "output": f"file://{out}",
        "objects": 3,
        "shards": 1,
        "sentence": "1 of 3 pictures resized, 1 edge maps, 2 rejected.",
        "verdict": "succeeded",
        "stages": {
            "resize": COUNTS,
            "edge": {**COUNTS, "rejected": 0, "skipped": 2},
        },
        "reasons": {"empty": 1, "truncated": 1},
        "rejected": [row("a.jpg"), row("b.jpg", Reason.TRUNCATED)],
        "failed": [],
        **{"to_do": {"new": 3}, "done": {}, "ignored": {}, "refused": 0},
        "deleted": {"objects": 0, "keys": []},
        **{"prune": False, "dataset": None, "recipe": {"output": "files"}},
        "estimate": {"total_dollars": 0.01, "minutes": 1},
        **changes,
    }
    path = out / keys.report_key(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def started(run_id: str) -> str:
    return f"2026-11-24T10:00:0{run_id[-1]}.000Z"


def listed(run_id: str, planned: int, verdict: str, dollars: float | None) -> RunRow:
    """The run's row in the list, as AggregateRun writes it."""
    numbers = {"planned": planned, "written": 1, "rejected": 2, "failed": 0, "bytes": 1}
    texts = {"sentence": "So.", "source": "s", "output": "o", "report": "r"}
    times = {"started": started(run_id), "ended": "2026-11-24T10:03:00.000Z"}
    return RunRow(run_id=run_id, verdict=verdict, dollars=dollars, **numbers, **texts, **times)  # type: ignore[arg-type]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two ended runs, and one that was stopped."""
    report(tmp_path, "run-1")
    report(tmp_path, "run-2", verdict="failed")
    rows = [listed("run-1", 9, "succeeded", 0.5), listed("run-2", 3, "failed", None)]
    (tmp_path / keys.RUN_LIST).write_bytes(encode_runs(rows))
    plan = {"run_id": "run-3", "started": started("run-3"), "source": "s", "objects": 5}
    marker = {"run": {**plan, "estimate": {"total_dollars": 0.25}}}
    (tmp_path / "open").mkdir()
    (tmp_path / keys.open_run_key("run-3")).write_text(json.dumps(marker))
    (tmp_path / "runs/run-3").mkdir()
    return tmp_path


def test_runs_of_a_folder_are_listed_the_latest_first(out: Path) -> None:
    rows = called("runs", "--out", out, "--json").document
    assert [(one["run_id"], one["state"], one["images"]) for one in rows] == [
        ("run-3", "open", 5),
        ("run-2", "failed", 3),
        ("run-1", "succeeded", 9),
    ]
    by_images = called("runs", "--out", out, "--sort", "images", "--json").document
    assert [one["images"] for one in by_images] == [9, 5, 3]
    by_cost = called("runs", "--out", out, "--sort", "cost", "--json").document
    assert [one["dollars"] for one in by_cost] == [0.5, 0.25, None]
    by_state = called("runs", "--out", out, "--sort", "state", "--json").document
    assert [one["state"] for one in by_state] == ["failed", "open", "succeeded"]
    assert len(called("runs", "--out", out, "--limit", 1, "--json").document) == 1
    lines = called("runs", "--out", out).out.splitlines()
    assert lines[0].split()[:3] == ["run", "state", "took"]
    assert all(len(line.rstrip()) <= 80 for line in lines)


def test_report_of_a_folder_is_the_latest_or_the_one_that_is_named(out: Path) -> None:
    assert "2 rejected" in called("report", "run-1", "--out", out).out
    ended = called("report", "run-3", "--out", out)
    assert (ended.code, "run-3 has no report" in ended.err) == (2, True)
    (out / "empty").mkdir()
    ended = called("report", "--out", out / "empty")
    assert (ended.code, "has no results of a run" in ended.err) == (2, True)


def test_a_run_that_is_not_there_is_said_to_be_none(out: Path) -> None:
    for command in ("report", "failures"):
        ended = called(command, "run-9", "--out", out)
        assert (ended.code, ended.out) == (2, "")
        assert f'there is no run "run-9" in "{out}"' in ended.err
        assert f"`imagemill runs --out {out}` lists those there are." in ended.err


def test_folder_where_a_name_belongs_is_told_apart(out: Path) -> None:
    for command in ("report", "failures"):
        ended = called(command, out)
        assert ended.code == 2
        assert f"For the results in it: --out {out}" in ended.err


def test_report_of_another_version_is_one_sentence(out: Path) -> None:
    report(out, "run-1", v=1)
    ended = called("report", "run-1", "--out", out)
    assert ended.code == 2
    assert "RUN: run-1: The report is of version 1; this program reads version 2." in ended.err


def test_page_of_a_report_is_opened_in_a_browser(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address))
    ended = called("report", "run-1", "--out", out, "--open")
    assert (ended.code, opened) == (2, [])
    assert "--open: run-1 has no page" in ended.err
    (out / keys.report_page_key("run-1")).write_text("<p>")
    ended = called("report", "run-1", "--out", out, "--open")
    assert opened == [(out / "runs/run-1/report.html").as_uri()]
    assert "No browser could be started. The page is" in ended.err


def test_failures_are_those_of_the_report(out: Path) -> None:
    lines = called("failures", "run-1", "--out", out).out.splitlines()
    assert lines[:2] == [
        "rejected a.jpg: empty, It is so.",
        "rejected b.jpg: truncated, It is so.",
    ]
    assert [line.split() for line in lines[2:]] == [["1", "empty"], ["1", "truncated"]]
    (only,) = called("failures", "run-1", "--out", out, "--reason", "empty", "--json").document
    assert only["key"] == "a.jpg"


def test_failures_that_the_report_has_no_room_for_are_read_from_the_outcomes(out: Path) -> None:
    report(out, "run-1", stages={"resize": {**COUNTS, "rejected": 1200}, "edge": COUNTS})
    outcomes = [Outcome(f"{n}.jpg", Status.REJECTED, Reason.CORRUPT, "No.") for n in range(1200)]
    outcomes.append(Outcome("fine.jpg", Status.WRITTEN))
    path = out / keys.outcome_key("run-1", Stage.RESIZE, "00000")
    path.parent.mkdir(parents=True)
    path.write_bytes(encode_outcomes({"run_id": "run-1"}, outcomes))
    refused = Outcome("twice.jpg", Status.REJECTED, Reason.KEY_COLLISION, "Twice.")
    (out / keys.refused_key("run-1")).write_bytes(encode_outcomes({}, [refused]))

    found = called("failures", "run-1", "--out", out, "--json").document
    assert len(found) == 1200 + 1 + 2  # and those that only the report knows of
    assert {row["key"] for row in found} >= {"twice.jpg", "a.jpg", "1199.jpg"}
    text = called("failures", "run-1", "--out", out).out
    assert "... and 1,103 more; --json prints all of them" in text
    assert "  1,200 corrupt" in text
