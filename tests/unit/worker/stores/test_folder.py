"""Files of a folder: whole or not at all, whoever writes them at the same time."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from obstore.store import LocalStore

from imagemill_worker.stores.faults import FaultKind, StoreFault
from imagemill_worker.stores.files.content import read_all
from imagemill_worker.stores.files.folder import FolderObjects
from imagemill_worker.stores.files.whole_files import UNNAMED


@pytest.fixture(params=["unnamed", "named"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> FolderObjects:
    """With files that have no name before they are whole, and on systems without those."""
    made = FolderObjects(str(tmp_path / "out"), create=True)
    made._has_unnamed = request.param == "unnamed" and made._has_unnamed
    return made


def files(tmp_path: Path) -> dict[str, bytes]:
    root = tmp_path / "out"
    found = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def test_a_file_is_written_and_overwritten_and_leaves_nothing_beside_it(
    objects: FolderObjects, tmp_path: Path
) -> None:
    for body in (b"first", b"second, and longer"):
        objects.put("a/b/c.jpg", body, durable=True)
        assert files(tmp_path) == {"a/b/c.jpg": body}
        assert bytes(objects.get("a/b/c.jpg")) == body


@pytest.mark.parametrize("seconds", [-5.5, 0, 1e-6, 1_700_000_000.123456, 4_000_000_000.999999])
def test_a_file_has_the_etag_of_the_listing(
    objects: FolderObjects, tmp_path: Path, seconds: float
) -> None:
    objects.put("a/b.jpg", b"body")
    os.utime(tmp_path / "out" / "a" / "b.jpg", (seconds, seconds))
    [[meta]] = LocalStore(tmp_path / "out").list()
    etag = str(meta["e_tag"]).strip('"')
    assert bytes(objects.get("a/b.jpg", etag)) == b"body"
    os.utime(tmp_path / "out" / "a" / "b.jpg", (seconds + 1, seconds + 7))
    with pytest.raises(StoreFault) as caught:
        objects.get("a/b.jpg", etag)
    assert caught.value.kind is FaultKind.CHANGED


@pytest.mark.parametrize(
    "name", ["a%20b.jpg", "a#b?.jpg", "x\\y~{}[]|.jpg", "e\u0301\u00fc.jpg", "..x"]
)
def test_a_file_with_an_awkward_name_is_read_by_the_name_in_the_listing(
    objects: FolderObjects, tmp_path: Path, name: str
) -> None:
    (tmp_path / "out" / name).write_bytes(b"body")
    [[meta]] = LocalStore(tmp_path / "out").list()
    assert bytes(objects.get(meta["path"])) == b"body"


def test_what_cannot_be_read_says_why(objects: FolderObjects) -> None:
    objects.put("dir/x.jpg", b"body")
    kinds = {"gone.jpg": FaultKind.GONE, "dir": FaultKind.GONE, "dir/x.jpg/y": FaultKind.CLASH}
    names = dict.fromkeys(("a//b", "../out/dir/x.jpg", "/dir/x.jpg", "nul\0", "n" * 300, ""))
    for key, kind in {**kinds, **dict.fromkeys(names, FaultKind.NAME)}.items():
        with pytest.raises(StoreFault) as caught:
            objects.get(key)
        assert caught.value.kind is kind, key


def test_the_same_bytes_are_not_written_again(objects: FolderObjects, tmp_path: Path) -> None:
    objects.put("a.jpg", b"body")
    inode = (tmp_path / "out" / "a.jpg").stat().st_ino
    objects.put("a.jpg", b"body")
    assert (tmp_path / "out" / "a.jpg").stat().st_ino == inode
    objects.put("a.jpg", b"bodY")
    assert files(tmp_path) == {"a.jpg": b"bodY"}


def test_files_have_the_rights_of_any_file(objects: FolderObjects, tmp_path: Path) -> None:
    objects.put("a.jpg", b"body")
    (tmp_path / "plain").write_bytes(b"body")
    assert (tmp_path / "out" / "a.jpg").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_file_has_the_etag_that_the_planner_was_told(
    objects: FolderObjects, tmp_path: Path
) -> None:
    objects.put("a.jpg", b"body")
    etag = (LocalStore(tmp_path / "out").head("a.jpg")["e_tag"] or "").strip('"')
    assert bytes(objects.get("a.jpg", etag)) == b"body"
    os.utime(tmp_path / "out" / "a.jpg", ns=(0, 1_700_000_000_000_001_000))
    with pytest.raises(StoreFault) as raised:
        objects.get("a.jpg", etag)
    assert raised.value.kind is FaultKind.CHANGED


def test_a_folder_is_no_object(objects: FolderObjects) -> None:
    objects.put("a/b.jpg", b"body")
    with pytest.raises(StoreFault) as raised:
        objects.get("a")
    assert raised.value.kind is FaultKind.GONE


def write_again_and_again(folder: str, letter: bytes, times: int) -> None:
    objects = FolderObjects(folder)
    for _ in range(times):
        objects.put("shared.jpg", letter * 300_000)


def test_two_writers_of_one_file_never_show_a_torn_one(tmp_path: Path) -> None:
    folder = str(tmp_path / "out")
    reader = FolderObjects(folder, create=True)
    reader.put("shared.jpg", b"a" * 300_000)
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=write_again_and_again, args=(folder, letter, 300))
        for letter in (b"a", b"b")
    ]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        body = bytes(reader.get("shared.jpg"))
        assert body in (b"a" * 300_000, b"b" * 300_000)
        reads += 1
    assert reads
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert list(files(tmp_path)) == ["shared.jpg"]


@pytest.mark.skipif(not UNNAMED, reason="this system has no files without a name")
def test_a_writer_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "out")
    FolderObjects(folder, create=True)
    writer = multiprocessing.get_context("spawn").Process(
        target=write_again_and_again, args=(folder, b"a", 10**6)
    )
    writer.start()
    while not files(tmp_path):
        pass
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert set(files(tmp_path)) <= {"shared.jpg"}


def test_a_folder_where_a_file_should_be_is_a_clash(objects: FolderObjects) -> None:
    objects.put("dir.jpg/x.jpg", b"body")
    objects.put("file", b"body")
    for key in ("dir.jpg", "file/x.jpg"):
        with pytest.raises(StoreFault) as caught:
            objects.put(key, b"body")
        assert caught.value.kind is FaultKind.CLASH


def test_nothing_is_written_outside_the_folder(objects: FolderObjects, tmp_path: Path) -> None:
    for key in ("../a.jpg", "a/../../b.jpg", "/etc/a.jpg", "a//b.jpg", "./a.jpg", ""):
        with pytest.raises(StoreFault) as caught:
            objects.put(key, b"body")
        assert caught.value.kind is FaultKind.NAME
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_name_that_is_too_long_is_the_names_fault(objects: FolderObjects) -> None:
    with pytest.raises(StoreFault) as caught:
        objects.put("n" * 300, b"body")
    assert caught.value.kind is FaultKind.NAME


def test_a_full_disk_says_so(objects: FolderObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    monkeypatch.setattr("os.write", full)
    with pytest.raises(StoreFault) as caught:
        objects.put("a.jpg", b"body")
    assert caught.value.code == "ENOSPC"


def test_what_was_not_written_whole_is_written_again(
    objects: FolderObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a disk that is full for a moment."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, body: write(descriptor, body[:2]))
    objects.put("a.jpg", b"body")
    assert files(tmp_path) == {"a.jpg": b"body"}


def test_a_file_is_read_in_parts_and_what_it_has_grown_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: read(descriptor, min(size, 3)))
    (tmp_path / "a").write_bytes(b"a body")
    found = {}
    for expected in (9, 6, 5):
        with (tmp_path / "a").open("rb") as file:
            found[expected] = read_all(file.fileno(), expected)
    assert found == {9: b"a body", 6: b"a body", 5: b"a body"}


def test_removing_takes_emptied_folders_along(objects: FolderObjects, tmp_path: Path) -> None:
    objects.put("a/b/c.jpg", b"body")
    objects.put("a/d.jpg", b"body")
    objects.remove(["a/b/c.jpg", "a/b/gone.jpg"])
    assert not (tmp_path / "out" / "a" / "b").exists()
    assert list(files(tmp_path)) == ["a/d.jpg"]
    objects.remove(["a/d.jpg"])
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_is_created_once_and_folders_are_made_for_it(
    objects: FolderObjects, tmp_path: Path
) -> None:
    assert objects.create("a/b.json", b"first")
    assert not objects.create("a/b.json", b"second")
    assert files(tmp_path) == {"a/b.json": b"first"}
    with pytest.raises(StoreFault) as raised:
        objects.create("a/b.json/c.json", b"")
    assert raised.value.kind is FaultKind.CLASH


def test_a_file_that_is_created_is_never_seen_without_its_content(
    objects: FolderObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, sync = [], os.fsync

    def watched(descriptor: int) -> None:
        synced.append((tmp_path / "out" / "b.json").exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    assert objects.create("b.json", b"first")
    assert synced == [False]
    assert files(tmp_path) == {"b.json": b"first"}


def test_a_file_is_created_once_without_hard_links_too(
    objects: FolderObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links")

    monkeypatch.setattr(os, "link", refused)
    assert objects.create("a/b.json", b"first")
    assert not objects.create("a/b.json", b"second")
    assert files(tmp_path) == {"a/b.json": b"first"}
