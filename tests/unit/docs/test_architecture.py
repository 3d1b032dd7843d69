"""The map leads to places that are there."""

from __future__ import annotations

import re

import pytest

from imagemill.project import ROOT
from tests.helpers.pages import plain, section, table, text_of

PAGE = text_of("ARCHITECTURE.md")


@pytest.mark.parametrize("row", table(PAGE, "question"), ids=lambda row: row["question"])
def test_answer_of_the_map_is_there(row: dict[str, str]) -> None:
    assert re.search(rf"\b{re.escape(plain(row['look for']))}\b", text_of(plain(row["file"])))


def test_every_inner_room_is_on_the_map() -> None:
    folders = {plain(row["inner room"]) for row in table(PAGE, "inner room")}
    packages = {path.parent for path in ROOT.glob("*/imagemill_*/*/__init__.py")}
    packages |= {path.parent for path in ROOT.glob("imagemill/*/__init__.py")}
    inner = {path.relative_to(ROOT).as_posix() for path in packages}
    assert inner <= folders
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_no_word_is_explained_twice() -> None:
    words = [row["word"] for row in table(section(PAGE, "Vocabulary"), "word")]
    assert len(words) == len(set(words))
