"""The demo's contact sheet: whole scenes, each as it was, resized, and as an edge map."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from demo.pictures import Cut
from demo.sheets import Layout, Tile, framed, sheet
from imagemill_contract.keys import output_key, stages_of
from imagemill_contract.recipe import Recipe

SOURCE_WIDTH, SOURCE_HEIGHT = 190, 128
LAYOUT = Layout(column=SOURCE_WIDTH, gap=14, caption=26, font=12)
SHORT_NAME = 8  # hexadecimal digits


def contact_sheet(cuts: list[Cut], sources: Path, out: Path) -> Image.Image:
    """A column for the largest cut of each photograph.

    Args:
        cuts: All pictures of the demo.
        sources: The folder with them.
        out: The folder with the results.
    """
    largest: dict[str, Cut] = {}
    for cut in sorted(cuts, key=lambda cut: (cut.photograph, cut.share)):
        largest[cut.photograph] = cut
    return sheet([column_of(cut, sources, out) for cut in largest.values()], LAYOUT)


def column_of(cut: Cut, sources: Path, out: Path) -> list[Tile]:
    """The picture, its resized copy and its edge map, from top to bottom."""
    with Image.open(sources / cut.name) as image:
        picture = image.convert("RGB")
    subject = Path(cut.photograph).stem.replace("_", " ")
    caption = f"{subject}, {picture.width} x {picture.height}"
    tiles = [Tile(framed(picture, SOURCE_WIDTH, SOURCE_HEIGHT), caption)]
    for stage in stages_of(Recipe()):
        key = output_key(stage, cut.name, Recipe())
        folder, _, name = key.partition("/")
        extensions = name.partition(".")[2]
        with Image.open(out / key) as image:
            tiles.append(Tile(image.convert("RGB"), f"{folder}/{name[:SHORT_NAME]}…{extensions}"))
    return tiles
