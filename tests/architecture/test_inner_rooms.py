"""Who may import whom inside a room: the inner rooms of ARCHITECTURE.md, on the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "imagemill_worker": ROOT / "batch_worker" / "imagemill_worker",
    "imagemill_app": ROOT / "functions" / "imagemill_app",
    "imagemill": ROOT / "imagemill",
}
WORKER, APP, TOOL = FOLDERS

# An inner room, and what of its own room it may import beside itself. `*` is any module directly in
# the room. Where a room is not named here, its modules may import all of it.
INNER_ROOMS: Mapping[str, set[str]] = {
    f"{WORKER}.pixels": set(),
    f"{WORKER}.codecs": {f"{WORKER}.pixels", f"{WORKER}.errors"},
    f"{WORKER}.picture": {f"{WORKER}.pixels", f"{WORKER}.errors", f"{WORKER}.codecs"},
    f"{WORKER}.stages": {
        *(f"{WORKER}.{name}" for name in ("pixels", "errors", "codecs", "picture"))
    },
    f"{WORKER}.stores": {f"{WORKER}.errors"},
    f"{WORKER}.journal": {f"{WORKER}.stores"},
    f"{WORKER}.spool": {f"{WORKER}.errors"},
    f"{WORKER}.lanes": {
        *(f"{WORKER}.{name}" for name in ("pixels", "errors", "spool", "stages", "stores"))
    },
    f"{WORKER}.model": {
        *(f"{WORKER}.{name}" for name in ("pixels", "errors", "progress", "lanes", "stores")),
        *(f"{WORKER}.{name}" for name in ("journal", "meter", "spool")),
        # of what is packed: where it lies meanwhile, and the form of its files
        *(f"{WORKER}.dataset.{name}" for name in ("intermediate", "formats.vector_file")),
    },
    f"{WORKER}.dataset.formats": set(),
    f"{WORKER}.dataset": {
        *(f"{WORKER}.{name}" for name in ("errors", "journal", "picture", "progress", "spool")),
        f"{WORKER}.stores",
    },
    f"{APP}.ingest": {f"{APP}.stores", f"{APP}.refusal"},
    f"{APP}.plan.source": {f"{APP}.counted_store", f"{APP}.stores", f"{APP}.refusal"},
    f"{APP}.plan.network": {f"{APP}.stores", f"{APP}.refusal"},
    f"{APP}.plan": {f"{APP}.ingest", f"{APP}.*"},
    f"{APP}.aggregate": {f"{APP}.*", f"{APP}.tally", f"{APP}.page"},
    f"{APP}.tally": set(),
    f"{APP}.page": set(),
    f"{TOOL}.signatures": {
        f"{TOOL}.*",
        *(f"{TOOL}.{name}" for name in ("commands", "display", "options")),
    },
    f"{TOOL}.commands": {
        f"{TOOL}.*",
        *(f"{TOOL}.{name}" for name in ("deployed", "display", "options")),
    },
    f"{TOOL}.commands.on_stack": {
        f"{TOOL}.*",
        *(f"{TOOL}.{name}" for name in ("deployed", "display", "options")),
    },
    f"{TOOL}.display": {f"{TOOL}.*", f"{TOOL}.deployed"},
    f"{TOOL}.deployed": {f"{TOOL}.*", f"{TOOL}.options"},
    f"{TOOL}.options": {f"{TOOL}.*"},
}
MOST_MODULES, MOST_LINES = 12, 200
PRODUCT = ("batch_worker", "contract", "engine", "functions", "imagemill")


def module_name(room: str, path: Path) -> str:
    parts = path.relative_to(FOLDERS[room]).with_suffix("").parts
    return ".".join((room, *(part for part in parts if part != "__init__")))


def imported_modules(room: str, source: str) -> Iterator[str]:
    """Modules of the room itself that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == room)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == room:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner_room(name: str) -> str | None:
    """The innermost inner room that a module lies in, by its name."""
    found = [room for room in INNER_ROOMS if name == room or name.startswith(room + ".")]
    return max(found, key=len, default=None)


def may_import(name: str, imported: str) -> bool:
    """Whether a module may import another, or something out of another, of the same room."""
    own = inner_room(name)
    if own is None:
        return True
    if f"{own}." in f"{imported}." or f"{imported}.".startswith(f"{own}."):
        return not (own.startswith(f"{TOOL}.commands") and imported.count(".") > 1)
    for allowed in INNER_ROOMS[own]:
        base = allowed.removesuffix(".*")
        is_direct = inner_room(imported) is None and imported.startswith(base + ".")
        if allowed.endswith(".*") and is_direct:
            return True
        if imported == base or (not allowed.endswith(".*") and imported.startswith(base + ".")):
            return True
    return False


def strangers(room: str, name: str, source: str) -> list[str]:
    return [item for item in imported_modules(room, source) if not may_import(name, item)]


def modules_of(room: str) -> list[Path]:
    return sorted(FOLDERS[room].rglob("*.py"))


@pytest.mark.parametrize("room", FOLDERS)
def test_inner_rooms_import_only_what_they_may(room: str) -> None:
    found = {
        module_name(room, path): strangers(room, module_name(room, path), path.read_text())
        for path in modules_of(room)
    }
    assert {name: items for name, items in found.items() if items} == {}


@pytest.mark.parametrize("inner", INNER_ROOMS)
def test_every_inner_room_is_there_and_says_what_it_is_for(inner: str) -> None:
    room, *parts = inner.split(".")
    path = FOLDERS[room].joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text()))
    assert docstring
    if path.is_dir():
        assert len(docstring.split(".")) > 1, "what goes in and out?"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (f"{WORKER}.pixels", f"from {WORKER} import stores"),
        (f"{WORKER}.codecs.decode", f"from {WORKER}.stores.store import Store"),
        (f"{WORKER}.codecs.decode", f"from {WORKER}.picture import resize"),
        (f"{WORKER}.picture.resize", f"from {WORKER}.lanes.lane import Lane"),
        (f"{WORKER}.stages.edge", f"from {WORKER}.lanes.tasks import Task"),
        (f"{WORKER}.picture.edges", f"from {WORKER}.stages.picture_stage import Product"),
        (f"{WORKER}.stores.s3", f"from {WORKER}.stages.picture_stages import product_of"),
        (f"{WORKER}.journal", f"from {WORKER}.lanes.tasks import Task"),
        (f"{WORKER}.spool", f"from {WORKER}.stores.store import Store"),
        (f"{WORKER}.lanes.lane", f"def late():\n    from {WORKER}.dataset import pack"),
        (f"{WORKER}.lanes.lane", f"import {WORKER}.job"),
        (f"{WORKER}.dataset.formats.parquet", f"from {WORKER}.dataset.proof import prove"),
        (f"{WORKER}.dataset.pack", f"from {WORKER}.job import Job"),
        (f"{WORKER}.dataset.pack", f"from {WORKER}.lanes.tasks import Task"),
        (f"{APP}.ingest.inbox", f"from {APP}.plan.sharding import Sifted"),
        (f"{APP}.plan.source.listing", f"from {APP}.plan.sharding import Sifted"),
        (f"{APP}.plan.plan_run", f"from {APP}.aggregate.report import write_report"),
        (f"{APP}.aggregate.report", f"from {APP}.plan.plan_run import PlannedRun"),
        (f"{TOOL}.commands.plan", f"from {TOOL}.commands.run import run_folder"),
        (f"{TOOL}.commands.on_stack.retry", f"from {TOOL}.commands.on_stack.start import start"),
        (f"{TOOL}.deployed.runs", f"from {TOOL}.display.lines import print_line"),
        (f"{TOOL}.display.summary", f"from {TOOL}.commands.run import run_folder"),
    ],
)
def test_forbidden_import_is_found(name: str, line: str) -> None:
    assert strangers(name.split(".")[0], name, line) != []


def test_no_package_has_more_modules_side_by_side_than_a_person_surveys() -> None:
    counts = {
        str(folder.relative_to(ROOT)): len([path for path in folder.glob("*.py")])
        - (folder / "__init__.py").exists()
        for room in PRODUCT
        for folder in (ROOT / room).rglob("*")
        if folder.is_dir() and folder.name != "__pycache__"
    }
    assert {name: count for name, count in counts.items() if count > MOST_MODULES} == {}


def test_a_module_longer_than_one_reads_at_once_says_why() -> None:
    longer = {
        str(path.relative_to(ROOT))
        for room in PRODUCT
        for path in (ROOT / room).rglob("*.py")
        if len(path.read_text().splitlines()) > MOST_LINES
        and "longer than" not in (ast.get_docstring(ast.parse(path.read_text())) or "")
    }
    assert longer == set()
