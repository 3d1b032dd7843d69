"""The demo's contact sheet: one whole scene of each photograph, with its results."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from demo.contact_sheet import contact_sheet
from demo.pictures import Cut
from imagemill_contract.keys import output_key, stages_of
from imagemill_contract.recipe import Recipe

COLOURS = {"a.png": "#ff0000", "b.png": "#00ff00", "c.png": "#0000ff"}


@pytest.fixture
def cuts(tmp_path: Path) -> list[Cut]:
    """A small and a large cut of each photograph; only the large ones have results."""
    found: list[Cut] = []
    for photograph, colour in COLOURS.items():
        for share in (0.9, 0.2):
            name = f"{len(found)}0123456789.png"
            found.append(Cut(name, photograph, share))
            Image.new("RGB", (64, 48), colour).save(tmp_path / name)
            if share < 0.5:
                continue
            for stage in stages_of(Recipe()):
                path = tmp_path / "out" / output_key(stage, name, Recipe())
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (128, 128), colour).save(path)
    return found


def test_sheet_shows_the_largest_cut_of_each_photograph(cuts: list[Cut], tmp_path: Path) -> None:
    sheet = contact_sheet(cuts, tmp_path, tmp_path / "out")
    counts = {colour: count for count, colour in sheet.getcolors(1 << 24) or []}
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)):
        # its edge map is a PNG, so that every pixel is the same
        assert counts[colour] >= 128 * 128
