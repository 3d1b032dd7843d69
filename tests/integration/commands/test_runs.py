"""start, status, runs, report, failures: a run from its start to its failures."""

from __future__ import annotations

from typing import Any

import pytest

from imagemill.commands.on_stack import status as status_command
from imagemill.local_stack import LocalStack
from tests.helpers.commands import Call, Source
from tests.helpers.photographs import cut

pytestmark = pytest.mark.engine


@pytest.fixture
def run_id(call: Call, source: Source, monkeypatch: pytest.MonkeyPatch) -> str:
    """An ended run of five pictures, two of them broken."""
    for index in range(3):
        source.put(f"{index}.jpg", cut(index))
    source.put("torn.jpg", cut(3)[:500])
    source.put("empty.jpg", b"")
    monkeypatch.setattr(status_command, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(status_command, "LINES_SECONDS", 0.1)
    started = call("start", source.address, "--size", 64, "--json")
    assert started.code == 0, started.err
    assert started.document["planned"]["objects"] == 5
    watched = call("status", started.document["run_id"], "--watch")
    assert watched.code == 0, watched.err
    assert "3 of 5 pictures resized, 3 edge maps, 2 rejected." in watched.out
    assert "resize" in watched.err or "planning" in watched.err or watched.err == ""
    run: str = started.document["run_id"]
    return run


def test_run_is_listed_reported_and_its_failures_are_named(
    run_id: str, call: Call, source: Source, stack: LocalStack
) -> None:
    (row,) = [row for row in call("runs", "--json").document if row["run_id"] == run_id]
    assert (row["state"], row["images"], row["rejected"], row["failed"]) == ("succeeded", 5, 2, 0)
    assert row["source"] == source.address
    assert run_id in call("runs", "--sort", "cost").out
    assert call("runs", "--limit", 1, "--json").document[0]["started"] >= row["started"]

    report = call("report", run_id)
    assert "2 rejected" in report.out
    assert f"report: s3://{stack.output_bucket}/runs/{run_id}/report.json" in report.out
    assert call("report", run_id, "--json").document["recipe"]["size"] == 64
    assert call("status", run_id, "--json").document["stages"]["resize"]["written"] == 3

    failures = call("failures", run_id)
    assert "torn.jpg: truncated" in failures.out
    assert f"imagemill retry {run_id}" in failures.out
    (empty,) = call("failures", run_id, "--reason", "empty", "--json").document
    assert (empty["key"].rpartition("/")[2], empty["status"]) == ("empty.jpg", "rejected")
    assert (
        "nothing was rejected or failed for that reason."
        in call("failures", run_id, "--reason", "corrupt").out
    )


def test_start_says_what_the_run_will_do_and_what_to_type_next(call: Call, source: Source) -> None:
    source.put("a.jpg", cut(1))
    started = call("start", source.address)
    first, second, *hints = started.out.splitlines()
    run_id = first.split()[0]
    assert first == f"{run_id} is started."
    assert second.startswith("1 picture in 1 job per stage, estimated ")
    assert hints == [
        f"watch it:  imagemill status {run_id} --watch",
        f"stop it:   imagemill cancel {run_id}",
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["start", "s3://{input}/nothing-is-here/"], "there are no pictures at"),
        (["start", "s3://{input}/full/", "--size", "0"], "recipe.size: 0 is not allowed"),
        (["start", "PHOTOS"], "source: "),
        (["status", "absent"], 'RUN: there is no run "absent" of the stack "imagemill".'),
        (["report", "absent"], 'RUN: there is no run "absent"'),
        (["failures", "absent"], 'RUN: there is no run "absent"'),
        (
            ["failures", "x", "--reason", "ugly"],
            '--reason: "ugly" is not allowed; it must be one of',
        ),
        (["runs", "--sort", "colour"], '--sort: "colour" is not allowed; it must be one of time,'),
        (["runs", "--stack", "other"], '--stack: there is no stack "other" in http://127.0.0.1:'),
        (["retry", "absent"], 'RUN: there is no run "absent"'),
        (["cancel", "absent"], 'RUN: there is no run "absent"'),
        (["plan", "s3://{input}/nothing-is-here/"], "there are no pictures at"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, call: Call, stack: LocalStack
) -> None:
    ended = call(*(word.replace("{input}", stack.input_bucket) for word in words))
    assert ended.code == 2, ended.out
    assert sentence in ended.err


def test_run_that_is_refused_when_it_is_planned_is_listed_as_refused(
    call: Call, stack: LocalStack
) -> None:
    ended = call("start", f"s3://{stack.input_bucket}/nothing-is-here/")
    assert ended.code == 2
    (newest, *_) = call("runs", "--json").document
    assert newest["state"] == "refused"
    status = call("status", newest["run_id"])
    assert (status.code, "was refused" in status.out) == (0, True)
    assert "there are no pictures at" in status.out
    report = call("report", newest["run_id"])
    assert (report.code, "has no report: it is refused" in report.err) == (2, True)


def test_plan_above_the_budget_is_refused_with_the_number(
    call: Call, source: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    source.put("a.jpg", cut(1))
    estimated = call("plan", source.address, "--json").document["estimate"]["total_dollars"]
    before = call("runs", "--json").document
    assert call("plan", source.address, "--max-cost", 1).code == 0
    assert call("runs", "--json").document == before  # a plan is no run
    for command in ("plan", "start"):
        ended = call(command, source.address, "--max-cost", "0.0001")
        assert ended.code == 2
        assert f"estimated to cost {estimated:.4f} USD, which is above 0.0001 USD" in ended.err
    (tmp_path / "imagemill.toml").write_text("max_cost = 0.00005\n")
    monkeypatch.chdir(tmp_path)
    assert "which is above 0.00005 USD" in call("plan", source.address).err
    assert call("plan", source.address, "--max-cost", 1).code == 0  # flags win


def test_watching_that_is_interrupted_leaves_the_run_alone(
    call: Call, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(4):
        source.put(f"{index}.jpg", cut(index, scale=8))
    run_id = call("start", source.address, "--json").document["run_id"]

    def interrupted(_watched: object, _console: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(status_command, "_in_lines", interrupted)
        ended = call("status", run_id, "--watch")
    assert ended.code == 130
    assert f"{run_id} goes on. Watch it again: imagemill status {run_id} --watch" in ended.err
    assert call("status", run_id, "--watch").code == 0
