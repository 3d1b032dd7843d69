from __future__ import annotations

import os
from pathlib import Path

from imagemill_contract.folder_source import FoundName, LeftOut, names_in

FOLDERS = 1200  # more than Python's functions may call each other


def names(folder: Path) -> list[FoundName]:
    def fail(error: OSError) -> None:
        raise error

    return list(names_in(folder, fail))


def test_names_come_in_the_order_of_keys(tmp_path: Path) -> None:
    for folder in ("a", "a-b", ".hidden"):
        (tmp_path / folder).mkdir()
    for key in ("a/b.jpg", "a-b/c.jpg", "a.jpg", ".hidden/d.jpg"):
        (tmp_path / key).touch()
    assert [found.key for found in names(tmp_path)] == [
        *(".hidden", "a-b/c.jpg", "a.jpg", "a/b.jpg")
    ]
    assert names(tmp_path)[0].left_out is LeftOut.HIDDEN


def test_a_picture_is_found_however_deep_it_lies(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(FOLDERS):
        folder /= "a"
        folder.mkdir()
    (folder / "b.jpg").touch()
    try:
        assert names(tmp_path) == [FoundName("a/" * FOLDERS + "b.jpg")]
    finally:  # pytest would call functions too deep to remove them
        (folder / "b.jpg").unlink()
        os.removedirs(folder)
