"""The ways to process a folder, each a command, and what it must have written."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.environments import IMG2DATASET, python_of
from benchmarks.photographs import ROOT
from imagemill_worker.lanes.process_limits import LANE_ENVIRONMENT

SCRIPTS = Path(__file__).with_name("scripts")
Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Way:
    """A way from a folder of photographs to one of results.

    Attributes:
        command: From both folders to a command.
        written: How many photographs are done in a folder of results; None if it writes none.
        is_slow: Whether one round is enough.
        variables: What it finds in its environment beside what all find there.
    """

    name: str
    command: Callable[[Path, Path], Command]
    written: Callable[[Path], int] | None
    is_slow: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def script(name: str) -> Callable[[Path, Path], Command]:
    return lambda photos, out: [sys.executable, str(SCRIPTS / name), str(photos), str(out)]


def imagemill(*options: str) -> Callable[[Path, Path], Command]:
    program = str(Path(sys.executable).with_name("imagemill"))
    return lambda photos, out: [program, "run", str(photos), str(out), *options]


def img2dataset(photos: Path, out: Path) -> Command:
    """It takes addresses, and the file system's are as good as any; it has no edges to find."""
    urls = out.parent / "urls.txt"
    urls.write_text("".join(f"file://{path}\n" for path in sorted(photos.glob("*.jpg"))))
    options = {
        "url_list": urls,
        "output_folder": out,
        "processes_count": 2,
        "thread_count": 32,
        "image_size": 128,
        "resize_mode": "center_crop",
        "encode_quality": 95,
        "output_format": "files",
        "number_sample_per_shard": 750,
    }
    program = Path(python_of(IMG2DATASET)).with_name("img2dataset")
    return [str(program), *(f"--{name}={value}" for name, value in options.items())]


def files_written(out: Path) -> int:
    return min(len(list((out / stage).rglob("*.*"))) for stage in ("resized", "edges"))


def samples_written(out: Path) -> int:
    (path,) = out.glob("runs/*/report.json")
    samples: int = json.loads(path.read_text())["dataset"]["samples"]
    return samples


LOOP, POOL, OPENCV = "one loop", "pool of 2, Pillow", "pool of 2, OpenCV"
FILES, PACKED, RIVAL = "imagemill, files", "imagemill, webdataset", "img2dataset, no edges"
WAYS = (
    Way(LOOP, script("one_loop.py"), None, variables=LANE_ENVIRONMENT),
    Way(POOL, script("pillow_pool.py"), files_written),
    Way(FILES, imagemill(), files_written),
    Way(PACKED, imagemill("--output", "webdataset"), samples_written),
    Way(OPENCV, script("opencv_pool.py"), files_written, is_slow=True),
    Way(RIVAL, img2dataset, lambda out: len(list(out.rglob("*.jpg"))), is_slow=True),
)


def environment() -> dict[str, str]:
    """What every way finds in its environment."""
    path = [ROOT / name for name in ("", "contract", "engine", "batch_worker")]
    quiet = {"PYTHONWARNINGS": "ignore", "NO_ALBUMENTATIONS_UPDATE": "1"}
    return {**os.environ, **quiet, "PYTHONPATH": os.pathsep.join(map(str, path))}
