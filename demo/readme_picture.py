"""Makes `docs/images/before-after.jpg`, the picture in README: `python -m demo.readme_picture`.

Each column is one photograph that ships with scikit-image: the input with the square that
`center_crop` keeps, then the two files that `imagemill run` made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console

from imagemill.commands.run import run_folder
from imagemill.project import ROOT
from imagemill.signals import terminate_as_exit
from imagemill_contract.keys import Stage, output_key
from imagemill_contract.recipe import Recipe

PICTURE = ROOT / "docs" / "images" / "before-after.jpg"
# CC0 or public domain: S. van der Walt, R. Michetti, SpaceX, NASA.
PHOTOGRAPHS = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png")
RECIPE = Recipe(size=256)
JPEG_QUALITY = 80

# Pixels of the sheet. Results are shown as they are, inputs at the height of a photograph of 3:2.
TILE, INPUT_HEIGHT, GAP, MARGIN, CAPTION = RECIPE.size, 171, 20, 20, 38
FONT_SIZE, CAPTION_TOP = 16, 7
PAPER, INK, FRAME, FRAME_WIDTH = "#ffffff", "#24292f", "#e8590c", 3
VEIL_ALPHA = 150  # of 255


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the sheet and what stands below it."""

    image: Image.Image
    caption: str


def main() -> None:
    terminate_as_exit()
    with TemporaryDirectory() as folder:
        photos, out = Path(folder, "photos"), Path(folder, "out")
        photos.mkdir()
        for name in PHOTOGRAPHS:
            (photos / name).write_bytes((files("skimage") / "data" / name).read_bytes())
        run_folder(str(photos), str(out), RECIPE, {}, vcpus=None, console=Console())
        columns = [column_of(photos / name, out) for name in PHOTOGRAPHS]
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    sheet(columns).save(PICTURE, quality=JPEG_QUALITY, optimize=True)
    Console().print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes", soft_wrap=True)


def column_of(photograph: Path, out: Path) -> list[Tile]:
    """The input and its two results, from top to bottom."""
    with Image.open(photograph) as image:
        picture = image.convert("RGB")
    tiles = [Tile(framed(picture), f"{photograph.name}, {picture.width} x {picture.height}")]
    for stage in Stage:
        key = output_key(stage, photograph.name, RECIPE.format)
        with Image.open(out / key) as image:
            tiles.append(Tile(image.convert("RGB"), key))
    return tiles


def framed(picture: Image.Image) -> Image.Image:
    """A small copy with a frame around its middle square and a veil over what is cut off."""
    small = picture.copy()
    small.thumbnail((TILE, INPUT_HEIGHT))
    side = min(small.size)
    left, top = (small.width - side) // 2, (small.height - side) // 2
    kept = small.crop((left, top, left + side, top + side))
    small.paste(Image.new("RGB", small.size, PAPER), mask=Image.new("L", small.size, VEIL_ALPHA))
    small.paste(kept, (left, top))
    frame = (left, top, left + side - 1, top + side - 1)
    ImageDraw.Draw(small).rectangle(frame, outline=FRAME, width=FRAME_WIDTH)
    return small


def sheet(columns: list[list[Tile]]) -> Image.Image:
    """All columns side by side, each tile centred above its caption."""
    heights = [max(tile.image.height for tile in row) for row in zip(*columns, strict=True)]
    size = (
        2 * MARGIN + len(columns) * (TILE + GAP) - GAP,
        MARGIN + sum(height + CAPTION for height in heights),
    )
    paper = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(FONT_SIZE)
    for place, column in enumerate(columns):
        centre, top = MARGIN + place * (TILE + GAP) + TILE // 2, MARGIN
        for tile, height in zip(column, heights, strict=True):
            corner = (centre - tile.image.width // 2, top + height - tile.image.height)
            paper.paste(tile.image, corner)
            caption_at = (centre, top + height + CAPTION_TOP)
            draw.text(caption_at, tile.caption, INK, font, anchor="ma")
            top += height + CAPTION
    return paper


if __name__ == "__main__":
    main()
