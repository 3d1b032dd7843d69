"""What the engine's process imports, and when."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path

import pytest

from imagemill_engine.engine import Engine
from imagemill_engine.server import import_later

NAME = "wanted_later"


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module that makes a note each time it is imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    path = tmp_path / f"{NAME}.py"
    path.write_text(
        "from pathlib import Path\n"
        "with Path(__file__).with_name('notes').open('a') as notes:\n"
        "    print(__name__, file=notes)\n"
        "value = 7\n"
    )
    return path


def notes(source: Path) -> str:
    path = source.with_name("notes")
    return path.read_text() if path.exists() else ""


def test_a_module_is_imported_when_something_of_it_is_wanted(source: Path):
    import_later(NAME)
    module = importlib.import_module(NAME)
    assert (module.__name__, module.__file__) == (NAME, str(source))
    assert notes(source) == ""
    assert module.value == 7
    assert notes(source) == f"{NAME}\n"
    assert "value" in dir(module)


def test_a_package_has_it_as_an_attribute(tmp_path: Path, source: Path):
    (tmp_path / "a_package").mkdir()
    source.rename(tmp_path / "a_package" / "inside.py")
    package = importlib.import_module("a_package")
    import_later("a_package.inside")
    assert package.inside.value == 7


def test_what_it_does_not_have_is_an_attribute_error(source: Path):
    import_later(NAME)
    with pytest.raises(AttributeError, match=f"module '{NAME}' has no attribute 'other'"):
        _ = importlib.import_module(NAME).other
    assert notes(source) == f"{NAME}\n"


def test_many_threads_want_it_at_once(source: Path):
    import_later(NAME)
    found: list[int] = []
    module = importlib.import_module(NAME)
    threads = [threading.Thread(target=lambda: found.append(module.value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 8
    assert notes(source) == f"{NAME}\n"


def test_a_module_that_is_not_there_is_refused_at_once():
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        import_later("not_there_at_all")


def test_the_emulator_imports_no_service_that_nobody_uses(engine: Engine):
    """The mapped files of the engine's process: one service would load the library for keys."""
    maps = Path(f"/proc/{engine.pid}/maps")
    if not maps.exists():
        pytest.skip("only Linux tells what a process has loaded")
    assert "_rust.abi3.so" not in maps.read_text()
