from __future__ import annotations

import pytest

from imagemill_contract.source_keys import is_hidden, is_readable_key, may_be_picture


@pytest.mark.parametrize(
    "key", ["full/", "a/.DS_Store", "notes.TXT", "x/Thumbs.db", "data.tar", "a/index.html"]
)
def test_names_that_are_no_pictures(key: str) -> None:
    assert not may_be_picture(key)


@pytest.mark.parametrize("key", ["a.jpg", "a", "sha256", "x/a.b.c.JPEG", "film.mp4", "json"])
def test_names_that_are_judged_by_their_bytes(key: str) -> None:
    assert may_be_picture(key)


@pytest.mark.parametrize("key", [".a", ".git/a.jpg", "a/.b/c.jpg", "a/.b"])
def test_leading_dot_hides_a_file_and_all_that_is_in_a_folder(key: str) -> None:
    assert is_hidden(key)
    assert not is_hidden(key.replace(".", "_."))


@pytest.mark.parametrize(
    "key", ["", "/a", "a//b", "a/", "a/../b", "./a", "a\nb", "a\0", "a\x7f.jpg", "a\udcff.jpg"]
)
def test_key_that_obstore_cannot_address(key: str) -> None:
    assert not is_readable_key(key)


@pytest.mark.parametrize("key", ["a", "a b/c+d%20#?.jpg", "日本/é.jpg", "a\\nb", "..a/b.."])
def test_key_that_obstore_can_address(key: str) -> None:
    assert is_readable_key(key)
