from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from obstore.store import LocalStore

from imagemill_app.plan.source.listing import Listing, gather
from imagemill_app.refusal import RunRefused
from imagemill_contract.documents import SourceObject
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest


def list_source(source: Location) -> Listing:
    (listing,) = gather(RunRequest(Recipe(), source=source), source, 1000)
    return listing


def location_of(folder: Path) -> Location:
    return Location.of_folder(PurePosixPath(folder))


def test_folder_is_listed_with_awkward_names_in_key_order(tmp_path: Path) -> None:
    names = ["x y/c+d%20.png", "日本/é.jpg", "a.b.c", "q?#[1].jpg"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1234")
    listing = list_source(location_of(tmp_path))
    assert [item.key for item in listing.objects] == sorted(names)
    assert {item.bytes for item in listing.objects} == {4}
    assert all(item.etag and '"' not in item.etag for item in listing.objects)


def test_what_is_no_picture_is_counted(tmp_path: Path) -> None:
    for name in ["a.jpg", "notes.txt", "Thumbs.db"]:
        (tmp_path / name).touch()
    listing = list_source(location_of(tmp_path))
    assert [item.key for item in listing.objects] == ["a.jpg"]
    assert listing.ignored == {"not a picture by its name": 2}


@pytest.mark.parametrize("name", ["plain.jpg", "a b (1)/c+d@e=f,g-h_2.jpg", "früh.jpg", "a~b.jpg"])
def test_an_object_is_what_obstore_tells_of_its_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"body")
    os.utime(path, ns=(1_700_000_000_123_456_789, 1_700_000_000_123_456_789))
    (found,) = list_source(location_of(tmp_path)).objects
    (meta,) = (meta for page in LocalStore(tmp_path).list() for meta in page)
    etag = (meta["e_tag"] or "").strip('"')
    assert found == SourceObject(name, etag, meta["size"])


def test_hidden_files_and_folders_are_left_out_and_counted_once_each(tmp_path: Path) -> None:
    folder = tmp_path / ".photos"  # what is hidden above the source does not matter
    for name in ["a.jpg", "b/c.jpg", ".DS_Store", ".x.jpg", ".git/1.jpg", "b/.thumbs/d/2.jpg"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    listing = list_source(location_of(folder))
    assert [item.key for item in listing.objects] == ["a.jpg", "b/c.jpg"]
    assert listing.ignored == {"hidden": 4}


def test_link_to_a_folder_is_not_followed_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.jpg").touch()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "c.jpg").symlink_to(tmp_path / "a/1.jpg")  # to a file: its picture
    listing = list_source(location_of(tmp_path))
    assert [item.key for item in listing.objects] == ["a/1.jpg", "c.jpg"]
    assert listing.ignored == {"link to a folder": 1}


def test_name_that_cannot_be_a_key_is_refused_and_not_lost(tmp_path: Path) -> None:
    (tmp_path / "good.jpg").touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.jpg")).touch()
    (tmp_path / "two\nlines.jpg").touch()
    (tmp_path / "two\\nlines.jpg").touch()  # a backslash and an n
    (tmp_path / "deleted\x7f.jpg").touch()
    listing = list_source(location_of(tmp_path))
    assert [item.key for item in listing.objects] == ["good.jpg", "two\\nlines.jpg"]
    assert [item.reason for item in listing.refused] == [Reason.UNREADABLE_KEY] * 3
    refused = {item.key for item in listing.refused}
    assert refused == {"bad\\xff.jpg", "two\nlines.jpg", "deleted\x7f.jpg"}


def test_pipe_and_dangling_link_are_counted_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dangling.jpg").symlink_to("/nowhere")
    listing = list_source(location_of(tmp_path))
    assert [item.key for item in listing.objects] == ["a.jpg"]
    assert listing.ignored == {"not a regular file": 2}


def test_file_that_cannot_be_read_is_a_failure_and_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").touch()

    class Store:
        def head(self, key: str) -> None:
            raise PermissionError(key)

    monkeypatch.setattr("imagemill_app.plan.source.in_hand.folder.store_of", lambda root: Store())
    monkeypatch.setattr(os, "access", lambda *_: False)  # as for a user who is not root
    listing = list_source(location_of(tmp_path))
    assert [(item.key, item.status) for item in listing.refused] == [("a.jpg", "failed")]
    assert listing.all_keys == frozenset({"a.jpg"})


def test_folder_that_cannot_be_listed_is_refused_and_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def deny(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(RunRefused, match=r'closed" cannot be listed: Permission denied\.'):
        list_source(location_of(tmp_path))


def test_folder_that_is_not_there_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match="is not a folder"):
        list_source(location_of(tmp_path / "absent"))
    assert not (tmp_path / "absent").exists()
