"""Whatever ends an attempt, the next one does only what is left, and the bytes are the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from imagemill_contract import keys
from imagemill_contract.documents import decode_journal
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Status
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.journal import Journal
from imagemill_worker.stores.opening import open_store
from tests.helpers.jobs import SHARD, Folder
from tests.helpers.pictures import jpeg

NAMES = [f"{number:03}.jpg" for number in range(120)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    return Folder(tmp_path)


def fill(folder: Folder, last: bytes = b"SLOW") -> None:
    """Pictures that take 50 ms each; the last one ends with `last`. See KILLERS."""
    for number, name in enumerate(NAMES):
        folder.put(name, jpeg(90 + number % 7, 70) + (last if name == NAMES[-1] else b"SLOW"))
    folder.put("broken.jpg", b"no picture")


def pages(folder: Folder, stage: str = "resize") -> list[tuple[dict[str, object], list[Outcome]]]:
    below = folder.output / keys.journal_folder(folder.run_id, Stage(stage), SHARD)
    return [decode_journal(path.read_bytes()) for path in sorted(below.glob("*"))]


def end_midway(folder: Folder, with_signal: signal.Signals, least_rows: int = 20) -> set[str]:
    """Run the resize job until its journal has some rows; the keys in it when it has ended."""
    with subprocess.Popen(
        folder.command("resize"),
        env=folder.environment({"ONCE": str(folder.base / "once")}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        while sum(len(rows) for _, rows in pages(folder)) < least_rows:
            assert process.poll() is None, "it was done before it could be ended"
            time.sleep(0.02)
        os.kill(process.pid, with_signal)
        process.communicate()
    return {row.key for _, rows in pages(folder) for row in rows}


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGKILL])
def test_the_next_attempt_does_only_what_is_left(
    folder: Folder, with_signal: signal.Signals
) -> None:
    fill(folder)
    folder.plan(size=16)
    done = end_midway(folder, with_signal)
    assert 20 <= len(done) < len(NAMES)
    for name in done - {"broken.jpg"}:
        (folder.source / name).unlink()  # who reads it again finds it gone
    ended = folder.run("resize")
    assert (ended.code, ended.errors) == (0, "")
    assert {row.key: row.status for row in folder.outcomes("resize")} == {
        **dict.fromkeys(NAMES, Status.WRITTEN),
        "broken.jpg": Status.REJECTED,
    }
    assert set(folder.files("resized")) == set(NAMES)
    assert not (folder.output / keys.JOURNAL).exists()


def test_a_job_that_is_told_to_stop_notes_all_that_it_has_done(folder: Folder) -> None:
    fill(folder)
    folder.plan(size=16)
    done = end_midway(folder, signal.SIGTERM)
    assert set(folder.files("resized")) == done - {"broken.jpg"}
    header, _ = pages(folder)[-1]
    assert header["last_words"] == "The job was told to stop."


@pytest.mark.parametrize("output", ["webdataset", "parquet"])
def test_a_packed_job_that_is_killed_ends_with_the_bytes_of_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.setenv("ALLOW_FILE_URIS", "true")
    killed, quiet = Folder(tmp_path / "killed"), Folder(tmp_path / "quiet")
    for folder in (killed, quiet):
        fill(folder, last=b"HELD")
        folder.plan(size=16, output=output, shard_bytes=100_000)
    done = end_midway(killed, signal.SIGKILL)
    for name in done - {"broken.jpg"}:
        (killed.source / name).unlink()
    for folder in (killed, quiet):
        for stage in ("resize", "edge"):
            ended = folder.run(stage)
            assert (ended.code, ended.errors) == (0, "")
    assert killed.files("dataset") == quiet.files("dataset")
    assert killed.outcome_path("edge").read_bytes() == quiet.outcome_path("edge").read_bytes()


def test_dataset_shards_that_were_read_back_are_not_written_again(folder: Folder) -> None:
    for number, name in enumerate(NAMES):
        folder.put(name, jpeg(90 + number % 7, 70))
    folder.plan(size=48, output="webdataset", shard_bytes=100_000)
    assert folder.run("resize").code == 0
    dies = """
from imagemill_dataset.shards import DatasetShard, PixelSums
from imagemill_worker.journal import Journal
write = Journal.write
def once(self, shards=(), last_words=""):
    write(self, shards, last_words)
    if list(shards):
        import os
        os._exit(9)
Journal.write = once
"""
    (folder.base / "sitecustomize.py").write_text(dies)
    env = folder.environment({})
    env["PYTHONPATH"] = f"{folder.base}{os.pathsep}{env['PYTHONPATH']}"
    assert subprocess.run(folder.command("edge"), env=env, check=False).returncode == 9
    (first,) = sorted((folder.output / "dataset").iterdir())
    before = first.stat()
    (folder.base / "sitecustomize.py").unlink()
    assert folder.run("edge").code == 0
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(folder.files("dataset")) > 1


def test_a_page_that_cannot_be_written_is_no_fault(folder: Folder) -> None:
    folder.put("a.jpg", jpeg())
    shard = folder.plan()
    journal = Journal(open_store(shard.output), shard, Stage.RESIZE)
    (folder.output / keys.JOURNAL).write_bytes(b"a file where a folder should be")
    journal.add(Outcome("a.jpg", Status.WRITTEN))
    journal.write()
    (folder.output / keys.JOURNAL).unlink()
    journal.write()
    assert [[row.key for row in rows] for _, rows in pages(folder)] == [["a.jpg"]]


def test_a_damaged_page_is_as_good_as_none(folder: Folder) -> None:
    folder.put("a.jpg", jpeg())
    shard = folder.plan()
    store = open_store(shard.output)
    journal = Journal(store, shard, Stage.RESIZE)
    for name in ("a.jpg", "b.jpg"):
        journal.add(Outcome(name, Status.WRITTEN))
        journal.write()
    below = folder.output / keys.journal_folder(folder.run_id, Stage.RESIZE, SHARD)
    first, _ = sorted(below.iterdir())
    first.write_bytes(first.read_bytes()[:-9])
    assert set(Journal.read(store, shard, Stage.RESIZE).rows) == {"b.jpg"}


def test_what_may_be_otherwise_next_time_is_tried_again(folder: Folder) -> None:
    folder.put("a.jpg", jpeg())
    shard = folder.plan()
    store = open_store(shard.output)
    journal = Journal(store, shard, Stage.RESIZE)
    rows = json.loads(
        """[
        {"key": "written", "status": "written"},
        {"key": "corrupt", "status": "rejected", "reason": "corrupt"},
        {"key": "gone", "status": "rejected", "reason": "gone"},
        {"key": "denied", "status": "failed", "reason": "access_denied"}
    ]"""
    )
    for row in rows:
        journal.add(Outcome.from_row(row))
    journal.write()
    assert set(Journal.read(store, shard, Stage.RESIZE).rows) == {"written", "corrupt"}


def test_page_that_another_attempt_removes_meanwhile_is_as_good_as_none(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put("a.jpg", jpeg())
    shard = folder.plan()
    store = open_store(shard.output)
    kept, removed = Journal(store, shard, Stage.RESIZE), Journal(store, shard, Stage.RESIZE)
    for journal, name in ((kept, "a.jpg"), (removed, "b.jpg")):
        journal.add(Outcome(name, Status.WRITTEN))
        journal.write()
    listed = store.keys(keys.JOURNAL)
    removed.remove()
    monkeypatch.setattr(type(store), "keys", lambda *_: listed)
    assert list(Journal.read(store, shard, Stage.RESIZE).rows) == ["a.jpg"]


def test_what_a_page_that_cannot_be_written_would_have_held_comes_with_the_next(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put("a.jpg", jpeg())
    shard = folder.plan()
    store = open_store(shard.output)
    journal = Journal(store, shard, Stage.EDGE)
    packed = DatasetShard("dataset/images.tar", "train", 1, 100, "0" * 64, PixelSums())
    journal.add(Outcome("a.jpg", Status.WRITTEN))
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "try_write_document", lambda *_: False)
        journal.write([packed])
    journal.write()
    found = Journal.read(store, shard, Stage.EDGE)
    assert (set(found.rows), found.shards) == ({"a.jpg"}, {packed.key: packed})
