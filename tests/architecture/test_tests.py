"""What tests may import of each other, and that each module of the worker is found in one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
WORKER = TESTS.parent / "batch_worker"
HELPERS = "tests.helpers"

# Modules of the worker that no test imports, and the tests that run them.
RUN_BY = {
    "try_image": "unit/worker/test_image_root.py",
    "imagemill_worker.__main__": "unit/worker/test_job.py",
    "imagemill_worker.dataset.pack": "unit/worker/dataset/test_packed_jobs.py",
    "imagemill_worker.dataset.previews": "unit/worker/dataset/test_packed_jobs.py",
    "imagemill_worker.dataset.formats.example": "unit/worker/dataset/test_formats.py",
    "imagemill_worker.dataset.formats.example_message": "unit/worker/dataset/test_formats.py",
    "imagemill_worker.dataset.formats.parquet": "unit/worker/dataset/test_formats.py",
    "imagemill_worker.dataset.formats.parquet_arrays": "unit/worker/dataset/test_formats.py",
    "imagemill_worker.dataset.formats.parquet_table": "unit/worker/dataset/test_formats.py",
    "imagemill_worker.dataset.formats.tfrecord": "unit/worker/dataset/test_formats.py",
    "imagemill_worker.dataset.formats.webdataset": "unit/worker/dataset/test_formats.py",
    "imagemill_worker.lanes.__main__": "unit/worker/lanes/test_lane_process.py",
    "imagemill_worker.model.keeping": "unit/worker/model/test_model_jobs.py",
    "imagemill_worker.model.model_files": "unit/worker/model/test_packed_models.py",
    "imagemill_worker.model.model_job": "unit/worker/model/test_model_jobs.py",
    "imagemill_worker.lanes.written": "unit/worker/test_job.py",
    "imagemill_worker.dataset.alike.shard_samples": "unit/worker/dataset/test_vectors_alike.py",
}


def imported_modules(source: str) -> Iterator[str]:
    """Every module that is imported, and every name that is taken from one and may be one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def strangers(source: str) -> set[str]:
    """What a file imports of the tests beside their helpers."""
    return {
        name
        for name in imported_modules(source)
        if name.startswith(("tests", ".")) and not name.startswith(f"{HELPERS}.")
    }


def test_no_test_imports_of_another_more_than_helpers() -> None:
    files = sorted(TESTS.rglob("*.py"))
    found = {str(path.relative_to(TESTS)): strangers(path.read_text()) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from tests.integration.test_stack import ended",
        "import tests.unit.worker.test_job",
        "from tests.conftest import place",
        "def late():\n    from tests.unit.worker import test_job",
        "from .test_stack import ended",
        "from . import test_stack",
    ],
)
def test_import_of_another_test_is_found(line: str) -> None:
    assert strangers(line) != set()


def test_import_of_a_helper_is_none() -> None:
    assert strangers("from tests.helpers.jobs import Folder\nimport tests.helpers.runs") == set()


def imports_of_tests() -> set[str]:
    """Every module, and every name that may be one, that a test or a helper imports."""
    files = TESTS.rglob("*.py")
    found: set[str] = set()
    for path in files:
        names = set(imported_modules(path.read_text()))
        found |= names | {name.rpartition(".")[0] for name in names}
    return found


def test_each_module_of_the_worker_is_imported_by_a_test_or_its_test_is_named() -> None:
    paths = (path.relative_to(WORKER) for path in WORKER.rglob("*.py"))
    modules = {".".join(path.with_suffix("").parts) for path in paths if path.stem != "__init__"}
    assert modules - imports_of_tests() == set(RUN_BY)
    assert [test for test in RUN_BY.values() if not (TESTS / test).is_file()] == []
