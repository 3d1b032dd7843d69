"""Runs small jobs over files of all kinds: what the worker image lacks shows while it is built.

    python -m try_image

Loads all modules, makes pictures, runs a resize job and an edge job over them in a folder of its
own, once for each output, and ends with an error unless all results are written. Where the build
emulates another processor, jobs would ask too much of the emulator: modules are loaded, with the
libraries that they are linked with, and that is all.
"""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path, PurePosixPath

import pi_heif  # type: ignore[import-untyped] # noqa: F401 # nothing here writes what it reads
import pillow_jxl  # noqa: F401 # so that Pillow writes JPEG XL
from obstore.store import LocalStore
from PIL import Image

import imagemill_worker
from imagemill_contract import keys
from imagemill_contract.documents import Shard, SourceObject, decode_outcomes
from imagemill_contract.keys import Stage
from imagemill_contract.locations import Location
from imagemill_contract.outcomes import Status
from imagemill_contract.recipe import Recipe

# What Pillow can write of what a job can read.
EXTENSIONS = ("jpg", "png", "webp", "gif", "bmp", "tiff", "avif", "jp2", "ico", "jxl")
RECIPES: tuple[dict[str, object], ...] = (
    {"size": 64},
    {"size": 64, "format": "avif"},
    {"size": 32, "output": "tfrecord", "format": "webp", "edge": "line_art"},
    {"size": 32, "output": "parquet", "format": "png", "edge": "sobel"},
)


def main() -> None:
    """Raises CalledProcessError for a job that fails, and RuntimeError for what is not written."""
    load_modules()
    # what BuildKit says of where it builds, and for what
    if os.environ.get("BUILDPLATFORM") != os.environ.get("TARGETPLATFORM"):
        return
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder, "in")
        sources.mkdir()
        picture = Image.linear_gradient("L").convert("RGB")
        for extension in EXTENSIONS:
            picture.save(sources / f"picture.{extension}")
        for number, recipe in enumerate(RECIPES):
            try_recipe(sources, Path(folder, f"out-{number}"), recipe)


def load_modules() -> None:
    """Import what jobs import. Models have an image of their own."""
    for module in pkgutil.walk_packages(imagemill_worker.__path__, "imagemill_worker."):
        if "__main__" not in module.name and not module.name.startswith("imagemill_worker.model"):
            import_module(module.name)
    Image.init()


def try_recipe(sources: Path, out: Path, recipe: dict[str, object]) -> None:
    """Run both jobs over a folder."""
    out.mkdir()
    shard = Shard(
        run_id="try",
        shard_id=keys.shard_id_of(0),
        source=Location.of_folder(PurePosixPath(sources)),
        output=Location.of_folder(PurePosixPath(out)),
        recipe=Recipe.from_document(recipe, "recipe"),
        objects=[
            SourceObject(meta["path"], str(meta["e_tag"]).strip('"'), meta["size"])
            for some in LocalStore(sources).list()
            for meta in some
        ],
    )
    document = out / keys.shard_key("try", shard.shard_id)
    document.parent.mkdir(parents=True)
    document.write_bytes(shard.encode())
    for stage in (Stage.RESIZE, Stage.EDGE):
        command = [sys.executable, "-m", "imagemill_worker", stage, "--shard", document.as_uri()]
        env = {**os.environ, "ALLOW_FILE_URIS": "true"}
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
        body = (out / keys.outcome_key("try", stage, shard.shard_id)).read_bytes()
        lost = [row for row in decode_outcomes(body)[1] if row.status is not Status.WRITTEN]
        if lost:
            raise RuntimeError(f"{stage} with {recipe}: {lost}")


if __name__ == "__main__":
    main()
