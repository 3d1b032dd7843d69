"""Makes `docs/images/before-after.jpg`, the picture in README: `python -m demo.readme_picture`.

Each column is one photograph that ships with scikit-image: the input with the square that
`center_crop` keeps, then the two files that `imagemill run` made of it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from rich.console import Console

from demo.sheets import Layout, Tile, framed, sheet
from imagemill.commands.run import run_folder
from imagemill.project import ROOT
from imagemill.signals import terminate_as_exit
from imagemill_contract.keys import output_key, stages_of
from imagemill_contract.recipe import Recipe

PICTURE = ROOT / "docs" / "images" / "before-after.jpg"
# CC0 or public domain: S. van der Walt, R. Michetti, SpaceX, NASA.
PHOTOGRAPHS = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png")
RECIPE = Recipe(size=256)
JPEG_QUALITY = 80

# Pixels. Results are shown as they are, inputs at the height of a photograph of 3:2.
INPUT_HEIGHT = 171
LAYOUT = Layout(column=RECIPE.size)


def main() -> None:
    terminate_as_exit()
    with TemporaryDirectory() as folder:
        photos, out = Path(folder, "photos"), Path(folder, "out")
        photos.mkdir()
        for name in PHOTOGRAPHS:
            (photos / name).write_bytes((files("skimage") / "data" / name).read_bytes())
        run_folder(str(photos), str(out), RECIPE, {}, vcpus=None)
        columns = [column_of(photos / name, out) for name in PHOTOGRAPHS]
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    sheet(columns, LAYOUT).save(PICTURE, quality=JPEG_QUALITY, optimize=True)
    Console().print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes", soft_wrap=True)


def column_of(photograph: Path, out: Path) -> list[Tile]:
    """The input and its two results, from top to bottom."""
    with Image.open(photograph) as image:
        picture = image.convert("RGB")
    tiles = [
        Tile(
            framed(picture, RECIPE.size, INPUT_HEIGHT),
            f"{photograph.name}, {picture.width} x {picture.height}",
        )
    ]
    for stage in stages_of(RECIPE):
        key = output_key(stage, photograph.name, RECIPE)
        with Image.open(out / key) as image:
            tiles.append(Tile(image.convert("RGB"), key))
    return tiles


if __name__ == "__main__":
    main()
