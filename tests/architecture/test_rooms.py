"""Who may import whom: the table of ARCHITECTURE.md, checked on the syntax trees."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STANDARD = set(sys.stdlib_module_names)

# room: its folder or files, and what it may import beside itself and the standard library
ROOMS: dict[str, tuple[str, set[str]]] = {
    "imagemill_contract": ("contract/imagemill_contract/**/*.py", set()),
    "imagemill_dataset": (
        "contract/imagemill_dataset/**/*.py",
        {"imagemill_contract", "arro3"},
    ),
    "imagemill_app": (
        "functions/imagemill_app/**/*.py",
        {
            "imagemill_contract",
            "imagemill_dataset",
            "boto3",
            "botocore",
            "aws_lambda_powertools",
            "obstore",
        },
    ),
    "handlers": (
        "functions/*.py",
        {"imagemill_contract", "imagemill_app", "boto3", "aws_lambda_powertools", "obstore"},
    ),
    "imagemill_worker": (
        "batch_worker/imagemill_worker/**/*.py",
        {"imagemill_contract", "imagemill_dataset", "obstore", "cv2", "numpy", "PIL", "simplejpeg"}
        | {"pi_heif", "pillow_jxl"}
        | {"arro3", "google", "google_crc32c"},  # dataset shards; google is protobuf
    ),
    "imagemill_engine": (
        "engine/imagemill_engine/**/*.py",
        {
            "boto3",
            "botocore",
            "hypercorn",  # the HTTP server that ministack runs on
            "ministack",
            "samtranslator",
            "yaml",
        },
    ),
    "imagemill": (
        "imagemill/**/*.py",
        {"imagemill_contract", "imagemill_engine", "boto3", "botocore", "rich", "typer"},
    ),
    "demo": (
        "demo/**/*.py",
        {"imagemill", "imagemill_contract", "imagemill_engine", "PIL", "rich"},
    ),
}


def imported_packages(source: str) -> Iterator[str]:
    """The top-level package of every import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the room they cross"
            yield (node.module or "").partition(".")[0]


def strangers(room: str, source: str) -> set[str]:
    """Packages that a file of `room` imports and may not."""
    return set(imported_packages(source)) - STANDARD - {room} - ROOMS[room][1]


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_what_it_may(room: str) -> None:
    files = sorted(ROOT.glob(ROOMS[room][0]))
    assert files, f"no files in {room}"
    found = {str(path.relative_to(ROOT)): strangers(room, path.read_text()) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("imagemill_contract", "import boto3"),
        ("imagemill_app", "from imagemill_worker import pixels"),
        ("handlers", "import cv2"),
        ("imagemill_worker", "from aws_lambda_powertools import Logger"),
        ("imagemill", "def late():\n    import imagemill_app.plan.sharding"),
    ],
)
def test_forbidden_import_is_found(room: str, line: str) -> None:
    assert strangers(room, line) != set()


def test_every_python_file_is_in_a_room() -> None:
    known = {path for pattern, _ in ROOMS.values() for path in ROOT.glob(pattern)}
    outside = {"tests", "benchmarks", "build", "demo-out"}
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in outside]
    visible = [folder for folder in folders if not folder.name.startswith(".")]
    stray = {path for folder in visible for path in folder.rglob("*.py")} - known
    assert stray == set()
    assert list(ROOT.glob("*.py")) == []
