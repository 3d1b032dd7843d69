"""Folders of photographs as cameras and people have left them: copies of 50, unmodified.

They come from the folder that PHOTOGRAPHS names, or from `../shared/photos/full`; without one they
are the photographs of scikit-image that `benchmarks.photographs` makes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from benchmarks.photographs import ROOT, photographs

BUILD = ROOT / "build" / "end_to_end"


def originals() -> list[Path]:
    folder = Path(os.environ.get("PHOTOGRAPHS", ROOT.parent / "shared" / "photos" / "full"))
    return sorted(folder.glob("*.jpg")) or [photo.path for photo in photographs()]


def folder_of(count: int) -> Path:
    """A folder of so many photographs, named by hashes, each original as often as any other."""
    found = originals()
    folder = BUILD / f"{_set_name(found)}-{count}"
    if not (folder / ".done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for number in range(count):
            original = found[number % len(found)]
            name = hashlib.sha256(f"{number} {original.name}".encode()).hexdigest()
            shutil.copyfile(original, folder / f"{name}.jpg")
        (folder / ".done").touch()
    for path in folder.glob("*.jpg"):  # into the page cache
        path.read_bytes()
    return folder


def total_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.jpg"))


def _set_name(found: list[Path]) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()[:8]
