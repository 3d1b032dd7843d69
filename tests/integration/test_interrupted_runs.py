"""Runs that are killed, and runs that are started at once: what is done stays done."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from imagemill.local_stack import LocalStack
from imagemill_contract.documents import decode_journal
from imagemill_contract.keys import INTERMEDIATE, JOURNAL, OPEN_RUNS, Stage
from imagemill_contract.locations import Location
from imagemill_worker.dataset.formats.registry import dataset_format
from tests.helpers.photographs import cut
from tests.helpers.runs import ended, keys_in, run_folder, start
from tests.helpers.tool import imagemill, killed_run
from tests.helpers.waiting import until

pytestmark = pytest.mark.engine

PICTURES = 60
DIFFERENT = 6
LEAST_DONE = 8  # before a run is killed
UNSCALED = ("--mode", "no")  # so that edge maps, too, take their time
JOURNAL_SECONDS = 2.0  # between pages in a folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work for a second or two: links to a few large pictures."""
    return linked(tmp_path_factory.mktemp("photos"), PICTURES)


def linked(folder: Path, count: int) -> Path:
    """A folder with so many pictures, of which a few are different."""
    for number in range(count):
        path = folder / f"{number:03}.jpg"
        if number < DIFFERENT:
            path.write_bytes(cut(number, scale=4))
        else:
            path.hardlink_to(folder / f"{number % DIFFERENT:03}.jpg")
    return folder


def report_of(out: Path) -> dict[str, Any]:
    """The only report of an output."""
    (path,) = out.glob("runs/*/report.json")
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report


def files_in(out: Path) -> dict[str, bytes]:
    found = (path for folder in ("resized", "edges") for path in (out / folder).iterdir())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def samples_in(out: Path) -> dict[str, tuple[bytes, bytes, str]]:
    """Picture, edge map and class of each sample that the card names; none is there twice."""
    card = json.loads((out / "dataset/dataset.json").read_text("utf-8"))
    found: dict[str, tuple[bytes, bytes, str]] = {}
    for shard in card["shards"]:
        with (out / shard["key"]).open("rb") as file:
            for sample in dataset_format(card["format"]).read(file):
                assert sample.filename not in found
                found[sample.filename] = sample.image, sample.edge, sample.label_text
    return found


def resumed_run(photos: Path, out: Path, *options: str) -> dict[str, Any]:
    """Run again; the report, once it is clear that only the rest was done."""
    again = imagemill("run", photos, out, *options)
    assert again.returncode == 0, again.stderr
    report = report_of(out)
    done = report["adopted"]["the run that was stopped"]
    assert 0 < done < PICTURES
    assert report["stages"]["edge"]["written"] == PICTURES - done
    assert f"{done} of {PICTURES} were done by the run that was stopped" in report["sentence"]
    nothing = imagemill("run", photos, out, *options)
    assert f"Nothing to do: all {PICTURES} pictures are done already." in nothing.stdout
    for folder in (OPEN_RUNS, JOURNAL, INTERMEDIATE):
        assert not list((out / folder).rglob("*.*"))
    return report


def pages_of(out: Path, stage: Stage) -> list[Path]:
    return list(out.glob(f"{JOURNAL}*/{stage}/*/*"))


def groups_of(run_id: str, stage: Stage) -> set[int]:
    """Process groups of a run's jobs of a stage."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace").split("\0")
            if {"imagemill_worker", str(stage)} <= set(command) and run_id in " ".join(command):
                found.add(os.getpgid(int(path.parent.name)))
        except OSError:  # ended while we looked
            continue
    return found


def is_stopped_midway(
    out: Path, is_enough: Callable[[], object], stage: Stage = Stage.EDGE
) -> bool:
    """Whether the stage has a job: it goes on for moments only, until it has done enough."""
    markers = list(out.glob(f"{OPEN_RUNS}*"))
    groups = groups_of(markers[0].stem, stage) if markers else set()
    for group in groups:
        hold_when(group, is_enough)
    return bool(groups)


def hold_when(group: int, is_enough: Callable[[], object]) -> None:
    """Let a job go on for moments only, until it has done enough: it is held from then on."""

    def has_done_enough() -> bool:
        os.killpg(group, signal.SIGCONT)
        time.sleep(0.02)
        os.killpg(group, signal.SIGSTOP)
        return bool(is_enough())

    os.killpg(group, signal.SIGSTOP)
    until(has_done_enough, "the job has done enough", pause_seconds=0)


def notes_some(out: Path, stage: Stage = Stage.EDGE) -> Callable[[], bool]:
    """Whether some results are there and noted; notes are due when the job has waited."""

    def has_noted() -> bool:
        if len(list(out.glob(f"{stage.folder}*"))) < LEAST_DONE:
            return False
        if not pages_of(out, stage):
            time.sleep(JOURNAL_SECONDS)
        return bool(pages_of(out, stage))

    return has_noted


@pytest.fixture(scope="module")
def whole_files(
    stack: LocalStack, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What a run that nobody stops leaves."""
    whole = tmp_path_factory.mktemp("whole")
    run_folder(stack, photos, whole, {"mode": "no"})
    return files_in(whole)


def test_run_after_one_that_was_killed_does_the_rest_and_leaves_the_same_files(
    photos: Path, whole_files: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_id = killed_run(
        photos, out, *UNSCALED, when=lambda: is_stopped_midway(out, notes_some(out))
    )
    report = resumed_run(photos, out, *UNSCALED)
    assert f"done by {run_id}, before it was stopped" in report["done"]
    assert files_in(out) == whole_files


def test_pictures_that_were_only_resized_are_not_resized_again(
    photos: Path, whole_files: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    noted_some = notes_some(out, Stage.RESIZE)
    run_id = killed_run(
        photos,
        out,
        *UNSCALED,
        when=lambda: is_stopped_midway(out, noted_some, Stage.RESIZE),
    )
    noted = {
        row.key
        for page in pages_of(out, Stage.RESIZE)
        for row in decode_journal(page.read_bytes())[1]
    }
    taken = sorted(noted)[0]
    changed = out / "resized" / taken
    changed.write_bytes(changed.read_bytes())  # a new time, which a job that wrote it would change
    before = changed.stat().st_mtime_ns, changed.stat().st_ino
    again = imagemill("run", photos, out, *UNSCALED)
    assert again.returncode == 0, again.stderr
    report = report_of(out)
    assert report["run_id"] != run_id
    half = report["to_do"]["new, but resized by the run that was stopped"]
    assert half == len(noted)
    assert report["stages"]["edge"]["written"] == PICTURES
    assert (changed.stat().st_mtime_ns, changed.stat().st_ino) == before
    assert files_in(out) == whole_files


def test_packed_run_after_one_that_was_killed_packs_the_rest_and_leaves_the_same_samples(
    stack: LocalStack, photos: Path, tmp_path: Path
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    recipe = {"output": "webdataset", "size": 384, "shard_bytes": 100_000}
    options = ("--output", "webdataset", "--size", "384", "--shard-bytes", "100kB")
    run_folder(stack, photos, whole, recipe)
    killed_run(
        photos,
        out,
        *options,
        when=lambda: is_stopped_midway(out, lambda: len(pages_of(out, Stage.EDGE)) >= 2),
    )
    resumed_run(photos, out, *options)
    assert samples_in(out) == samples_in(whole)
    card = json.loads((out / "dataset/dataset.json").read_text("utf-8"))
    shards = {shard["key"] for shard in card["shards"]}
    assert {path.relative_to(out).as_posix() for path in out.glob("dataset/*.tar")} == shards
    assert "0 superseded" in imagemill("verify", out).stdout


def test_run_that_was_killed_before_anything_was_done_is_as_if_it_had_not_been(
    photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    killed_run(photos, out, when=lambda: list(out.glob(f"{OPEN_RUNS}*")))
    again = imagemill("run", photos, out, "--limit", "6")
    assert again.returncode == 0, again.stderr
    report = report_of(out)
    done = sum(report["adopted"].values())
    assert report["stages"]["edge"]["written"] == 6 - done


def awaits(process: int, number: signal.Signals) -> bool:
    """Whether a signal waits for a process that is held."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    pending = next(line for line in status.splitlines() if line.startswith("ShdPnd:"))
    return bool(int(pending.split()[1], 16) >> (number - 1) & 1)


def test_execution_that_was_stopped_is_gone_on_with_from_bucket_to_bucket(
    stack: LocalStack,
) -> None:
    s3, count = stack.client("s3"), 160  # dozens are in flight at once, and are finished
    for number in range(count):
        key = f"stopped/of-{number}.jpg"
        s3.put_object(Bucket=stack.input_bucket, Key=key, Body=cut(number % 4, scale=4))
    request = {"source": f"s3://{stack.input_bucket}/stopped/", "recipe": {"mode": "no"}}
    first = start(stack, request)

    (group,) = until(lambda: groups_of(first.run_id, Stage.EDGE), "edge maps are made")

    def edges() -> int:
        return len(keys_in(stack, stack.output_bucket, "edges/of-"))

    hold_when(group, lambda: edges() >= LEAST_DONE)
    first.stop("the test wants to go on")
    until(lambda: awaits(group, signal.SIGTERM), "the job is told to stop")
    os.killpg(group, signal.SIGCONT)
    until(lambda: not groups_of(first.run_id, Stage.EDGE), "the job has ended")
    most = edges()  # what was written last may not have been noted
    assert most < count

    second = ended(start(stack, request)).result()
    done = count - second["stages"]["edge"]["written"]
    assert 0 < done <= most
    assert f"{done} of {count} were done by a run that has not ended" in second["sentence"]
    third = ended(start(stack, request)).result()
    assert third["sentence"].startswith(f"Nothing to do: all {count} pictures are done already;")


def test_run_that_stalls_while_another_overwrites_it_says_so_and_the_next_run_repairs(
    stack: LocalStack, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    count = 5 * PICTURES  # it is held in time also by a test that has to wait for a processor
    photos, out = linked(tmp_path / "photos", count), tmp_path / "out"
    source, output = (str(Location.of_folder(PurePosixPath(path))) for path in (photos, out))
    request = {"source": source, "output": output, "shards": 1}
    slow = start(stack, {**request, "recipe": {"size": 64}})
    (group,) = until(
        lambda: groups_of(slow.run_id, Stage.RESIZE), "pictures are resized", pause_seconds=0
    )
    hold_when(group, lambda: len(list(out.glob("resized/*"))) >= LEAST_DONE)
    try:
        fast = ended(start(stack, {**request, "recipe": {"size": 96}})).result()
    finally:
        os.killpg(group, signal.SIGCONT)
    assert fast["verdict"] == "succeeded"

    ended(slow)
    end = stack.client("stepfunctions").describe_execution(executionArn=slow.arn)
    assert (end["status"], end["error"]) == ("FAILED", "TooManyFailures")
    assert "because they ran at the same time with another recipe" in end["cause"]
    report = json.loads((out / "runs" / slow.run_id / "report.json").read_text("utf-8"))
    (other,) = report["overwritten"]["of"]
    overwritten = report["overwritten"]["of"][other]
    assert overwritten > 0
    assert report["overwritten"]["by"][other] + overwritten == count

    repaired = ended(start(stack, {**request, "recipe": {"size": 96}})).result()
    assert repaired["stages"]["edge"]["written"] == overwritten
    whole = tmp_path / "whole"
    run_folder(stack, photos, whole, {"size": 96})
    assert files_in(out) == files_in(whole)
    nothing = ended(start(stack, {**request, "recipe": {"size": 96}})).result()
    assert nothing["sentence"].startswith("Nothing to do")
