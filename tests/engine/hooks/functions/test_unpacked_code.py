"""Code of functions that is unpacked once."""

from __future__ import annotations

import io
import json
import os
import shutil
import threading
import time
import zipfile
from pathlib import Path

import pytest

from imagemill_engine.deploy import Stack
from imagemill_engine.engine import Engine
from imagemill_engine.hooks.functions.unpacked_code import (
    MOST_FOLDERS,
    SECONDS_IN_USE,
    KeptArchive,
)

FILES = {"handler.py": b"code", "package/module.py": b"more code", "package/empty.txt": b""}
WHERE = (
    "def lambda_handler(event, context):\n    import os\n    return os.path.realpath(__file__)\n"
)


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches" / "imagemill" / "functions"


def archive_of(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, content in files.items():
            writer.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()


def unpacked(tmp_path: Path, name: str, files: dict[str, bytes] = FILES) -> Path:
    """As the emulator does it for each process."""
    code = tmp_path / name / "code"
    code.mkdir(parents=True)
    (tmp_path / name / "code.zip").write_bytes(archive_of(files))
    with KeptArchive(tmp_path / name / "code.zip") as archive:
        archive.extractall(str(code))
    return code


def files_in(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_functions_of_the_same_code_share_it(engine: Engine, stack: Stack):
    functions = engine.client("lambda")
    echo = functions.get_function_configuration(FunctionName=stack.outputs["EchoFunctionArn"])

    def place_of(name: str, code: str) -> Path:
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=echo["Role"],
            Handler="where.lambda_handler",
            Code={"ZipFile": archive_of({"where.py": code.encode()})},
        )
        return Path(json.loads(functions.invoke(FunctionName=name)["Payload"].read()))

    places = [place_of("one", WHERE), place_of("two", WHERE), place_of("other", WHERE + "\n")]
    assert places[0] == places[1] != places[2]


def test_the_same_code_is_unpacked_once(tmp_path: Path, caches: Path):
    first, second = unpacked(tmp_path, "first"), unpacked(tmp_path, "second")
    other = unpacked(tmp_path, "other", {**FILES, "handler.py": b"edoc"})
    assert files_in(first) == files_in(second) == FILES
    assert files_in(other) == {**FILES, "handler.py": b"edoc"}
    assert first.resolve() == second.resolve() != other.resolve()
    assert {first.resolve(), other.resolve()} == set(caches.iterdir())


def test_what_a_process_removes_is_its_link(tmp_path: Path, caches: Path):
    shutil.rmtree(unpacked(tmp_path, "first").parent)
    (kept,) = caches.iterdir()
    assert files_in(kept) == FILES


@pytest.mark.parametrize("name", ["handler.py", "package"])
def test_code_that_is_not_whole_is_unpacked_anew(tmp_path: Path, caches: Path, name: str):
    kept = unpacked(tmp_path, "first").resolve()
    if (kept / name).is_dir():
        shutil.rmtree(kept / name)
    else:
        (kept / name).write_bytes(b"cod")
    assert files_in(unpacked(tmp_path, "second")) == FILES
    assert list(caches.iterdir()) == [kept]


def test_many_at_once_find_all_of_it(tmp_path: Path, caches: Path):
    found: list[dict[str, bytes]] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(files_in(unpacked(tmp_path, f"{n}"))))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [FILES] * 8
    assert len(list(caches.iterdir())) == 1


def test_a_folder_that_cannot_be_made_costs_the_time_of_unpacking(tmp_path: Path, caches: Path):
    caches.parent.mkdir(parents=True)
    caches.write_text("a file")
    code = unpacked(tmp_path, "first")
    assert not code.is_symlink()
    assert files_in(code) == FILES


def test_the_oldest_of_too_many_are_removed_when_nobody_uses_them(tmp_path: Path, caches: Path):
    kept = [
        unpacked(tmp_path, f"{number}", {"number": b"%d" % number}).resolve()
        for number in range(MOST_FOLDERS + 2)
    ]
    assert set(kept) == set(caches.iterdir())  # too many, but all in use
    for folder in (kept[1], kept[5]):
        os.utime(folder, (time.time() - SECONDS_IN_USE - 60,) * 2)
    unpacked(tmp_path, "last", {"number": b"last"})
    assert set(kept) - set(caches.iterdir()) == {kept[1], kept[5]}
