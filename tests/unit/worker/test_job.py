"""A whole job: every object gets one outcome, whatever it does to the process."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import tarfile
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagemill_contract.outcomes import Status
from tests.helpers.jobs import Folder
from tests.helpers.pictures import jpeg, png_declaring
from tests.helpers.waiting import PATIENCE_SECONDS, until

NAMES = ["a b+c%20d/ü ß?x#y.jpg", "no extension", "many.dots.in.it.jpeg", "日本/é.jpg", "c.jpg"]


def is_running(process_id: str) -> bool:
    path = Path(f"/proc/{process_id}/stat")
    return path.exists() and path.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_resize_then_edge_write_a_file_and_an_outcome_for_each_object(folder: Folder) -> None:
    for name in NAMES:
        folder.put(name, jpeg())
    folder.put("broken.jpg", b"no picture")
    folder.plan(size=32)
    ended = folder.run("resize")
    assert (ended.code, ended.errors) == (0, "")
    rows = folder.outcomes("resize")
    assert [row.key for row in rows] == sorted([*NAMES, "broken.jpg"])
    for row in rows:
        if row.status is Status.WRITTEN:
            path = folder.output / str(row.output_key)
            with Image.open(path) as image:
                assert image.size == (row.width, row.height) == (32, 32)
            assert path.stat().st_size == row.output_bytes
    assert folder.run("edge").code == 0
    assert folder.reasons("edge") == {"broken.jpg": "no_resized_image"}
    assert set(folder.files("edges")) == {f"{name}.png" for name in NAMES}


def test_each_size_is_written_once_for_an_outcome_and_proven_before_its_edges_are_found(
    folder: Folder,
) -> None:
    names = ["a.jpg", "b.jpg"]
    for name in names:
        folder.put(name, jpeg())
    folder.put("narrow.jpg", jpeg(600, 1))
    folder.plan(sizes=[16, 64, 128], mode="keep_ratio")
    assert folder.run("resize").code == 0
    assert folder.reasons("resize") == {"narrow.jpg": "too_small"}
    rows = [row for row in folder.outcomes("resize") if row.status is Status.WRITTEN]
    assert [row.key for row in rows] == names
    files = folder.files("resized")
    assert set(files) == {f"{size}/{name}" for size in (16, 64, 128) for name in names}
    for row in rows:
        assert [item.height for item in row.sizes] == [128, 64, 16]
        for item in row.sizes:
            body = files[str(item.output_key).removeprefix("resized/")]
            assert hashlib.sha256(body).hexdigest() == item.sha256
            assert len(body) == item.output_bytes
    path = folder.output / "resized/16/a.jpg"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert folder.run("edge").code == 0
    assert folder.reasons("edge") == {"a.jpg": "damaged", "narrow.jpg": "no_resized_image"}
    assert set(folder.files("edges")) == {f"{size}/b.jpg.png" for size in (16, 64, 128)}
    (edges,) = (row for row in folder.outcomes("edge") if row.status is Status.WRITTEN)
    assert [item.height for item in edges.sizes] == [128, 64, 16]
    assert edges.fingerprint


@pytest.mark.parametrize("output", ["files", "webdataset"])
def test_edge_job_learns_from_the_resize_job_where_the_padding_is(
    folder: Folder, output: str
) -> None:
    folder.put("a.jpg", jpeg(200, 100))
    folder.plan(size=64, mode="border", edge="line_art", output=output)
    for stage in ("resize", "edge"):
        assert folder.run(stage).code == 0
    (resized,) = folder.outcomes("resize")
    assert resized.area == (0, 16, 64, 32)
    edges = folder.output / "edges/a.jpg.png"
    if output == "webdataset":
        (path,) = (folder.output / "dataset").rglob("*.tar")
        with tarfile.open(path) as tar:
            tar.extractall(edges.parent, filter="data")
        (edges,) = edges.parent.rglob("*.edge.png")
    with Image.open(edges) as image:
        ink = 255 - np.asarray(image)
    assert not ink[:16].any()
    assert not ink[48:].any()
    assert ink[16:48].any()


def test_log_lines_count_to_the_end(folder: Folder) -> None:
    for number in range(30):
        folder.put(f"{number}.jpg", jpeg() + b"SLOW")
    folder.plan()
    lines = folder.run_with_killers("resize").lines
    assert [line["event"] for line in lines[:1]] == ["start"]
    assert [line["event"] for line in lines[-2:]] == ["progress", "end"]
    assert {line["run_id"] for line in lines} == {"run-1"}
    assert sum(line["event"] == "progress" for line in lines) >= 2
    last = lines[-1]
    assert (last["done"], last["planned"], last["written"], last["rejected"]) == (30, 30, 30, 0)
    assert float(str(last["cpu_seconds"])) > 0


def test_one_killer_among_500_costs_itself_and_two_lanes(folder: Folder) -> None:
    body = jpeg(96, 64)
    for number in range(499):
        folder.put(f"{number:03}.jpg", body + b"%d" % number)
    folder.put("250k.jpg", b"KILL")
    folder.plan(size=16)
    assert folder.run_with_killers("resize").code == 0
    assert Counter(row.status for row in folder.outcomes("resize")) == {
        Status.WRITTEN: 499,
        Status.REJECTED: 1,
    }
    assert folder.reasons("resize") == {"250k.jpg": "decoder_crashed"}
    decoded = folder.decoded()
    # the lane that dies of it, the one that does the rest, and one for the killer alone
    assert len({process for process, _ in decoded}) == 3
    times = Counter(checksum for _, checksum in decoded)
    assert times.pop(zlib.crc32(b"KILL")) == 2
    assert len(times) == 499
    assert max(times.values()) <= 2  # of what the first lane had done and not yet told


def test_killers_of_every_kind_leave_their_neighbours_alone(folder: Folder) -> None:
    for number in range(20):
        folder.put(f"{number}.jpg", jpeg(96, 64))
    folder.put("killer.jpg", b"KILL")
    folder.put("killer too.jpg", b"KILL, too")
    folder.put("unlucky once.jpg", jpeg() + b"ONCE")
    folder.put("hoard.jpg", b"HOARD")
    folder.put("endless.jpg", b"HANG")
    folder.plan(size=16)
    assert folder.run_with_killers("resize", "--vcpus", "2").code == 0
    assert folder.reasons("resize") == {
        "killer.jpg": "decoder_crashed",
        "killer too.jpg": "decoder_crashed",
        "hoard.jpg": "too_many_pixels",
        "endless.jpg": "decoder_timeout",
    }
    assert len(folder.files("resized")) == 21


def test_a_job_does_the_same_again(folder: Folder) -> None:
    for number in range(12):
        folder.put(f"{number}.jpg", jpeg(96 + number, 64))
    folder.put("bomb.png", png_declaring(20_000, 20_000))
    folder.plan(size=24)
    folder.run("resize", "--threads", "1")
    folder.run("edge")
    first = folder.files("")
    folder.run("resize", "--threads", "16", "--vcpus", "2")
    folder.run("edge", "--vcpus", "2")
    assert folder.files("") == first
    assert folder.reasons("resize") == {"bomb.png": "too_many_pixels"}


def test_objects_that_are_gone_or_changed_are_not_taken_for_others(folder: Folder) -> None:
    for name in ("gone.jpg", "changed.jpg", "longer.jpg", "same.jpg", "empty.jpg"):
        folder.put(name, jpeg() if name != "empty.jpg" else b"")
    folder.plan()
    (folder.source / "gone.jpg").unlink()
    time.sleep(0.01)
    folder.put("changed.jpg", jpeg()[::-1])
    folder.put("longer.jpg", jpeg() + b"x")
    assert folder.run("resize").code == 0
    assert folder.reasons("resize") == {
        "gone.jpg": "gone", "changed.jpg": "changed", "longer.jpg": "changed", "empty.jpg": "empty",
    }  # fmt: skip


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_job_leaves_no_outcomes_no_parts_and_no_process(
    folder: Folder, signal_number: signal.Signals
) -> None:
    for number in range(400):
        folder.put(f"{number}.jpg", jpeg(96, 64) + b"SLOW")
    folder.plan()
    env = folder.environment({"ONCE": str(folder.base / "once")})
    with subprocess.Popen(folder.command("resize"), env=env, stdout=subprocess.PIPE) as job:
        assert job.stdout is not None
        job.stdout.readline()
        until(lambda: len(folder.files("resized")) >= 10, "ten pictures are written")
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
        assert children
        job.send_signal(signal_number)
        code = job.wait(PATIENCE_SECONDS)
        job.stdout.read()  # ends when no process has it open any more
    assert code == (75 if signal_number == signal.SIGTERM else -signal.SIGKILL)
    until(lambda: not any(map(is_running, children)), "its lanes have ended")
    assert len(folder.files("resized")) < 400, "it went on to its end"
    assert not folder.outcome_path("resize").exists()
    if signal_number == signal.SIGTERM:
        assert not any(name.endswith(".part") for name in folder.files("resized"))
    assert folder.run("resize").code == 0  # the next attempt
    assert len(folder.files("resized")) == len(folder.outcomes("resize")) == 400


def test_arguments_and_documents_that_cannot_be_used_end_with_2(folder: Folder) -> None:
    folder.put("a.jpg", jpeg())
    folder.plan()
    refused = folder.run("resize", ALLOW_FILE_URIS="false")
    assert refused.code == 2
    assert "this job reads and writes S3 only" in refused.errors
    early = folder.run("edge")
    assert (early.code, "resize outcome document" in early.errors) == (2, True)
    path = Path(folder.shard_address.removeprefix("file://"))
    path.write_bytes(path.read_bytes()[:-9])
    torn = folder.run("resize")
    assert (torn.code, "The shard document cannot be read" in torn.errors) == (2, True)
    path.unlink()
    assert folder.run("resize").code == 2
    assert folder.run("sharpen").code == 2
    assert folder.run("resize", "--threads", "0").code == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_asks_for_another_attempt(folder: Folder) -> None:
    for number in range(64):
        folder.put(f"{number}.jpg", jpeg())
    folder.output.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder.output)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        folder.plan(size=128)
        ended = folder.run("resize")
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder.output)], check=True)
    assert (ended.code, "No space left" in ended.errors) == (75, True)
