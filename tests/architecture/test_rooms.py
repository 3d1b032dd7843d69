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
            "arro3",  # what obstore lists
            "pyorc",  # in plan/source/in_hand/orc_rows.py alone
            "jinja2",
            "PIL",  # in a process of its own, see below
            "google",  # protobuf, in plan/network alone
            "simpleeval",  # in plan/network alone
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
        | {"boto3", "botocore"}  # in stores/odd_keys.py alone, see below
        | {"onnxruntime", "simpleeval"}  # in model/ alone, see below
        | {"arro3", "google", "google_crc32c"},  # dataset shards; google is protobuf
    ),
    "worker_image": (
        "batch_worker/*.py",
        {"boto3"}
        | {
            "imagemill_contract",
            "imagemill_worker",
            "obstore",
            "PIL",
            "pi_heif",
            "pillow_jxl",
        },  # try_image
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
        {"imagemill", "imagemill_contract", "PIL", "rich"},
    ),
    "examples": (
        "examples/**/*.py",
        {"datasets", "fsspec", "numpy", "PIL", "s3fs", "tensorflow", "torch", "webdataset"},
    ),
}

# The engine's wall: the files that may import it, and which of its modules.
ENGINE_USERS: dict[str, set[str]] = {
    "imagemill/local_stack.py": {"engine", "deploy", "errors"},
    "imagemill/cli.py": {"errors"},
    "benchmarks/request_log.py": {"processes", "settings"},  # it enters the engine's process
    "tests/": {"engine", "deploy", "errors"},  # the engine's own tests look at all of it
}
ENGINE_LIBRARIES = {"ministack", "hypercorn", "samtranslator", "yaml"}


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
        ("imagemill", "import yaml"),
        ("demo", "from ministack import app"),
    ],
)
def test_forbidden_import_is_found(room: str, line: str) -> None:
    assert strangers(room, line) != set()


def engine_modules(source: str) -> set[str]:
    """The modules of the engine that a file imports, as `errors`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("imagemill_engine.")}


def behind_the_wall(path: str, source: str) -> set[str]:
    """The modules of the engine that the file at `path` imports and may not."""
    allowed = (modules for start, modules in ENGINE_USERS.items() if path.startswith(start))
    return engine_modules(source) - next(allowed, set())


def test_the_engine_is_imported_by_few_and_through_its_public_modules() -> None:
    folders = ("imagemill", "demo", "functions", "batch_worker", "contract", "benchmarks", "tests")
    files = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    files -= set((ROOT / "tests" / "engine").rglob("*.py"))
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(files)}
    found = {path: behind_the_wall(path, source) for path, source in sources.items()}
    assert {path: names for path, names in found.items() if names} == {}
    assert engine_modules(sources["imagemill/local_stack.py"]) >= {"engine", "deploy"}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("imagemill/commands/up.py", "from imagemill_engine.engine import Engine"),
        ("imagemill/local_stack.py", "from imagemill_engine.batch.job import Job"),
        ("imagemill/cli.py", "import imagemill_engine.engine"),
        ("demo/__main__.py", "from imagemill_engine import errors"),
        ("tests/integration/test_stack.py", "from imagemill_engine.hooks import patching"),
    ],
)
def test_a_way_through_the_wall_is_found(path: str, line: str) -> None:
    assert behind_the_wall(path, line) != set()


def test_the_libraries_of_the_engine_stay_with_it() -> None:
    others = {room: names for room, (_, names) in ROOMS.items() if room != "imagemill_engine"}
    assert {room for room, names in others.items() if names & ENGINE_LIBRARIES} == set()


def test_every_python_file_is_in_a_room() -> None:
    known = {path for pattern, _ in ROOMS.values() for path in ROOT.glob(pattern)}
    outside = {"tests", "benchmarks", "build", "demo-out"}
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in outside]
    visible = [folder for folder in folders if not folder.name.startswith(".")]
    stray = {path for folder in visible for path in folder.rglob("*.py")} - known
    assert stray == set()
    assert list(ROOT.glob("*.py")) == []


def test_handlers_decode_pictures_only_in_a_process_that_may_die_of_them() -> None:
    app = ROOT / "functions" / "imagemill_app"
    importers = {
        str(path.relative_to(app))
        for path in app.rglob("*.py")
        if "PIL" in set(imported_packages(path.read_text()))
    }
    assert importers == {"page/shrink.py", "page/contact_sheet.py"}


def test_worker_imports_boto3_only_for_keys_that_obstore_cannot_name() -> None:
    worker = ROOT / "batch_worker" / "imagemill_worker"
    importers = {
        str(path.relative_to(worker))
        for path in worker.rglob("*.py")
        if {"boto3", "botocore"} & set(imported_packages(path.read_text()))
    }
    assert importers == {"stores/odd_keys.py"}


def test_onnx_runtime_which_the_base_image_lacks_is_imported_by_one_room_of_the_worker() -> None:
    worker = ROOT / "batch_worker" / "imagemill_worker"
    importers = {
        path.relative_to(worker).parts[0]
        for path in worker.rglob("*.py")
        if "onnxruntime" in set(imported_packages(path.read_text()))
    }
    assert importers == {"model"}
