"""The folders of a run, and what is said of them before anything starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from imagemill.errors import UsageError
from imagemill.folders import Folders, check_has_pictures, checked_folders, make_writable
from imagemill_app.plan.plan_run import plan_run
from imagemill_app.refusal import RunRefused
from imagemill_app.settings import PlanRunSettings
from imagemill_contract.locations import Location

SETTINGS = PlanRunSettings(
    output_bucket_name="output-bucket",
    max_parallel_jobs=2,
    min_shard_seconds=2,
    slice_objects=250_000,
    upload_recipe="{}",
    commit="",
    allow_file_uris=True,
    worker_image_uri="image",
)


def refusal_of(photos: object, out: object) -> str:
    with pytest.raises(UsageError) as raised:
        checked_folders(str(photos), str(out))
    return str(raised.value)


def test_folders_become_absolute_and_out_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    assert checked_folders("link", "out/../results") == Folders(
        tmp_path / "photos", tmp_path / "results"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "photos"]


@pytest.mark.parametrize("address", ["s3://bucket/out", "file:///out", "gs://b/o", "S3://b"])
def test_address_is_refused_and_makes_no_folder(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sentence = (
        f'"{address}" must be a folder on this machine; only a stack on AWS processes buckets.'
    )
    assert refusal_of(tmp_path, address) == f"OUT: {sentence}"
    assert refusal_of(address, tmp_path) == f"PHOTOS: {sentence}"
    assert list(tmp_path.iterdir()) == []


def test_folders_that_contain_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for photos, out in (("", ""), ("a", ""), ("", "a"), ("a", "a/b/c"), ("", "a/../b")):
        assert "must not contain each other" in refusal_of(tmp_path / photos, tmp_path / out)


def test_what_the_system_says_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    too_long = "x" * 300
    assert refusal_of(too_long, "out").endswith('" cannot be used: File name too long.')
    assert refusal_of(tmp_path, too_long).startswith('OUT: "xxx')
    assert "is not a folder" in refusal_of(tmp_path / "loop", "out")
    assert refusal_of(tmp_path, tmp_path / "loop").startswith("OUT: ")


@pytest.mark.parametrize("name", [b"two\nlines", b"no-utf8-\xff"])
def test_folder_whose_name_cannot_be_an_address_is_refused(name: bytes, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    folder.mkdir()
    assert "a control character in its name, or is not UTF-8." in refusal_of(folder, "out")
    (tmp_path / "photos").mkdir()
    assert refusal_of(tmp_path / "photos", folder).startswith("OUT: ")
    assert refusal_of(tmp_path / "photos", folder).isprintable()


def test_out_is_made_with_its_parents_unless_a_file_is_in_the_way(tmp_path: Path) -> None:
    make_writable(tmp_path / "a/b")
    make_writable(tmp_path / "a/b")
    assert list((tmp_path / "a/b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r'^OUT: ".*/file/c" cannot be used: Not a directory\.$'):
        make_writable(tmp_path / "file/c")


def test_out_that_takes_no_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imagemill.folders.tempfile.TemporaryFile", full)
    with pytest.raises(UsageError, match="cannot be used: No space left on device"):
        make_writable(tmp_path)


def nothing(folder: Path) -> None: ...


def texts(folder: Path) -> None:
    (folder / "b").mkdir()
    for name in ("a.txt", "b/c.json", "Thumbs.db"):
        (folder / name).touch()


def hidden_only(folder: Path) -> None:
    (folder / ".git").mkdir()
    for name in (".git/a.jpg", ".a.jpg", "z.csv"):
        (folder / name).touch()


def no_files(folder: Path) -> None:
    os.mkfifo(folder / "a.jpg")
    (folder / "b.jpg").symlink_to("/nowhere")
    (folder / "c").symlink_to(folder)


def picture(folder: Path) -> None:
    texts(folder)
    (folder / "b/z.jpg").touch()


def file_without_extension(folder: Path) -> None:
    (folder / "picture").touch()


def text_with_a_line_break(folder: Path) -> None:
    (folder / "a\nb.txt").touch()


def text_that_is_not_utf8(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).touch()


def text_with_a_delete(folder: Path) -> None:
    (folder / "a\x7f.txt").touch()


@pytest.mark.parametrize(
    "fill",
    [
        *(nothing, texts, hidden_only, no_files, picture, file_without_extension),
        *(text_with_a_line_break, text_that_is_not_utf8, text_with_a_delete),
    ],
)
def test_folder_is_said_to_have_no_pictures_when_the_planner_says_so_and_as_it_does(
    fill: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    fill(tmp_path / "photos")
    source, output = (
        Location.of_folder(PurePosixPath(tmp_path / name)) for name in ("photos", "o")
    )
    request = {"source": str(source), "output": str(output), "dry_run": True}
    planned = said = None
    try:
        plan_run("run-1", "2026-11-25T10:00:00Z", request, SETTINGS)
    except RunRefused as refused:
        planned = str(refused)
    try:
        check_has_pictures(tmp_path / "photos")
    except UsageError as error:
        said = str(error)
    assert said == planned
    assert (said is None) == (fill not in (nothing, texts, hidden_only, no_files))


def test_folder_that_cannot_be_listed_is_left_to_the_planner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", deny)
    check_has_pictures(tmp_path)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="there are no pictures"):
        check_has_pictures(tmp_path)


def test_walk_ends_at_the_first_that_may_be_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.jpg").touch()
    scanned: list[str] = []
    scandir = os.scandir

    def seen(path: str) -> object:
        scanned.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", seen)
    check_has_pictures(tmp_path)
    assert scanned == [str(tmp_path)]
