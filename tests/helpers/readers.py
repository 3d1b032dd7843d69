"""Pictures to pack, and programs of other environments that read what was packed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from demo.pictures import cut_pictures
from imagemill.project import ROOT

PHOTOGRAPHS = ROOT.parent / "shared" / "photos" / "full"
CLASSES = ("birch", "red fox", "été.2017")


def run(photos: Path, out: Path, recipe: dict[str, object]) -> None:
    """`imagemill run` with a recipe file."""
    file = out.with_suffix(".json")
    file.write_text(json.dumps(recipe), encoding="utf-8")
    imagemill = Path(sys.executable).with_name("imagemill")
    command: list[str | Path] = [imagemill, "run", photos, out, "--recipe", file]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr


def columns_of(relative: str) -> dict[str, object]:
    """What the file beside a picture says; of some pictures there is no year."""
    year = len(relative) if len(relative) % 3 else None
    return {"caption": f"\u2713 the picture {relative}", "year": year}


def put_photos(base: Path) -> Path:
    """Pictures in a folder for each class, some with names that a reader could take apart.

    Each has columns in a JSON file beside it.
    """
    sources = PHOTOGRAPHS
    if not sources.is_dir():
        sources = base / "cut"
        cut_pictures(sources)
    folder = base / "classes"
    for number, path in enumerate(sorted(sources.iterdir())):
        name = path.name if number % 7 else f"__{number}.v1 (ä){path.suffix.upper()}"
        target = folder / CLASSES[number % len(CLASSES)] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        said = columns_of(target.relative_to(folder).as_posix())
        target.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def printed_by(
    environment: str, command: Sequence[object], cwd: Path, home: Path, **more: str
) -> list[str]:
    """Lines that a program of one of the environments prints; `home` takes its caches.

    `more` are variables of its process.
    """
    python = ROOT / ".venvs" / environment / "bin" / "python"
    ended = subprocess.run(
        [str(part) for part in (python, *command)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_CACHE": str(home / "datasets"),
            **more,
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()
