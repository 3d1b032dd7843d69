"""What a person reads at the end of a run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from imagemill.display.summary import MAX_SHOWN, print_places, print_summary

COUNTS = {"planned": 57, "written": 53, "skipped": 0, "rejected": 4, "failed": 0}
REPORT: dict[str, Any] = {
    "run_id": "run-1",
    "output": "file:///my%20out/",
    "sentence": "53 of 57 pictures resized, 53 edge maps, 4 rejected.",
    "recipe": {"output": "files"},
    "stages": {"resize": COUNTS, "edge": {**COUNTS, "skipped": 4, "rejected": 0}},
    "reasons": {"empty": 4},
    "rejected": [],
    "failed": [],
    "to_do": {"new": 57},
    "refused": 0,
    "done": {"unchanged": 3},
    "ignored": {"hidden": 1},
    "deleted": {"objects": 0, "keys": []},
    "prune": False,
    "dataset": None,
}
NOTHING = {**COUNTS, "written": 0, "rejected": 57}
NOTHING_WRITTEN = {"resize": NOTHING, "edge": {**NOTHING, "rejected": 0, "skipped": 57}}


def shown(**changes: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    print_summary(console, {**REPORT, **changes}, 1.0)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def rejected(key: str, detail: str = "It is empty.") -> dict[str, str]:
    row = {"stage": "resize", "key": key, "status": "rejected"}
    return {**row, "reason": "empty", "detail": detail}


def test_what_was_planned_is_not_called_done() -> None:
    lines = shown()
    assert "planned: 57 new" in lines
    assert not any(line.startswith("done") for line in lines)
    assert "left out: 3 unchanged" in lines
    assert "left out: 1 hidden" in lines
    assert not any("warning" in line for line in lines)


def test_planned_lines_add_up_to_the_planned_pictures() -> None:
    planned = [
        line for line in shown(to_do={"new": 50, "changed": 4}, refused=3) if "planned:" in line
    ]
    assert planned == [
        "planned: 50 new",
        "planned: 4 changed",
        "planned: 3 that no job could be given",
    ]


def test_names_are_told_apart_whatever_they_hold() -> None:
    lines = shown(rejected=[rejected("a\nb"), rejected(r"a\nb"), rejected("[red]\x1b[31m")])
    assert [line for line in lines if line.startswith("rejected")] == [
        r"rejected a\nb: empty, It is empty.",
        r"rejected a\\nb: empty, It is empty.",
        r"rejected [red]\x1b[31m: empty, It is empty.",
    ]


def test_detail_of_many_lines_is_shown_on_one() -> None:
    assert "rejected a: empty, first second" in shown(rejected=[rejected("a", "first\n second\n")])


def test_long_lists_are_cut_and_say_so() -> None:
    lines = shown(
        failed=[{**rejected(str(n)), "status": "failed"} for n in range(MAX_SHOWN + 1234)]
    )
    assert sum(line.startswith("failed ") for line in lines) == MAX_SHOWN
    assert "... and 1,234 more failed, all in the report" in lines


def test_pictures_without_a_class_are_a_warning_that_says_what_to_do() -> None:
    lines = shown(stages=NOTHING_WRITTEN, reasons={"no_label": 57})
    (warning,) = [line for line in lines if line.startswith("warning: ")]
    assert "none of the 57 pictures lies in a folder, so none has a class" in warning
    assert "--label-from-folder" in warning


@pytest.mark.parametrize("reasons", [{"empty": 57}, {"no_label": 56, "empty": 1}])
def test_run_that_has_written_nothing_is_a_warning(reasons: dict[str, int]) -> None:
    lines = shown(stages=NOTHING_WRITTEN, reasons=reasons)
    assert "warning: Nothing was written, although 57 pictures were planned." in lines


def test_run_that_had_nothing_to_do_is_no_warning() -> None:
    nothing = dict.fromkeys(COUNTS, 0)
    lines = shown(stages={"resize": nothing, "edge": nothing}, to_do={}, reasons={})
    assert not any("warning" in line for line in lines)


@pytest.mark.parametrize(
    ("output", "card"),
    [
        ("file:///my%20out/", "/my out/dataset/README.md"),
        ("s3://bucket/results/", "s3://bucket/results/dataset/README.md"),
    ],
)
def test_card_is_the_readme_of_the_dataset(output: str, card: str) -> None:
    dataset = {"format": "tfrecord", "samples": 1_053, "bytes": 9_000_000}
    lines = shown(output=output, dataset=dataset)
    assert "dataset: tfrecord, 1,053 new samples, 9,000,000 bytes" in lines
    assert f"card: {card}" in lines


@pytest.mark.parametrize(
    ("prune", "output", "fate"),
    [
        (False, "files", "their results are kept"),
        (True, "files", "their results were removed"),
        (True, "parquet", "their samples are superseded"),
    ],
)
def test_fate_of_deleted_pictures_is_told(prune: bool, output: str, fate: str) -> None:
    deleted = {"objects": 1_001, "keys": []}
    lines = shown(deleted=deleted, prune=prune, recipe={"output": output})
    assert f"deleted at the source: 1,001; {fate}" in lines


def test_page_of_a_report_is_named_only_if_there_is_one(tmp_path: Path) -> None:
    def named() -> list[str]:
        console = Console(file=io.StringIO(), width=80)
        print_places(console, tmp_path, "run-1")
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().splitlines()

    assert named() == [f"report: {tmp_path}/runs/run-1/report.json"]
    (tmp_path / "runs/run-1").mkdir(parents=True)
    (tmp_path / "runs/run-1/report.html").touch()
    assert named()[1] == f"page: {tmp_path}/runs/run-1/report.html"
