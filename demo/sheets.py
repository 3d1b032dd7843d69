"""Sheets of pictures: columns of tiles, each above its caption."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

PAPER, INK, FRAME, FRAME_WIDTH = "#ffffff", "#24292f", "#e8590c", 3
VEIL_ALPHA = 150  # of 255


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a sheet and what stands below it."""

    image: Image.Image
    caption: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Pixels of a sheet: the width of a column, the space around it, and its captions."""

    column: int
    gap: int = 20
    margin: int = 20
    caption: int = 38
    font: int = 16


def framed(picture: Image.Image, width: int, height: int) -> Image.Image:
    """A small copy with a frame around its middle square and a veil over what is cut off."""
    small = picture.copy()
    small.thumbnail((width, height))
    side = min(small.size)
    left, top = (small.width - side) // 2, (small.height - side) // 2
    kept = small.crop((left, top, left + side, top + side))
    small.paste(Image.new("RGB", small.size, PAPER), mask=Image.new("L", small.size, VEIL_ALPHA))
    small.paste(kept, (left, top))
    frame = (left, top, left + side - 1, top + side - 1)
    ImageDraw.Draw(small).rectangle(frame, outline=FRAME, width=FRAME_WIDTH)
    return small


def sheet(columns: list[list[Tile]], layout: Layout) -> Image.Image:
    """All columns side by side, each tile centred above its caption."""
    heights = [max(tile.image.height for tile in row) for row in zip(*columns, strict=True)]
    size = (
        2 * layout.margin + len(columns) * (layout.column + layout.gap) - layout.gap,
        layout.margin + sum(height + layout.caption for height in heights),
    )
    paper = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(layout.font)
    for place, column in enumerate(columns):
        left = layout.margin + place * (layout.column + layout.gap)
        centre, top = left + layout.column // 2, layout.margin
        for tile, height in zip(column, heights, strict=True):
            corner = (centre - tile.image.width // 2, top + height - tile.image.height)
            paper.paste(tile.image, corner)
            caption_at = (centre, top + height + layout.gap // 3)
            draw.text(caption_at, tile.caption, INK, font, anchor="ma")
            top += height + layout.caption
    return paper
