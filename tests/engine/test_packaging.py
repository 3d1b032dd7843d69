"""Archives of local folders."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

from imagemill_engine.packaging import artifact_key, packed, zipped_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code" / "inner" / "__pycache__").mkdir(parents=True)
    (tmp_path / "code" / "a.py").write_text("A = 1\n")
    (tmp_path / "code" / "inner" / "b.py").write_text("B = 2\n")
    (tmp_path / "code" / "inner" / "__pycache__" / "b.cpython-311.pyc").write_bytes(b"x")
    (tmp_path / "code" / ".hidden").write_text("x")
    return tmp_path / "code"


def names(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as reader:
        return reader.namelist()


@pytest.fixture(autouse=True, params=[False, True], ids=["writes", "writes_nothing"])
def writes_nothing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether Python may keep what it has compiled."""
    monkeypatch.setattr(sys, "dont_write_bytecode", request.param)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    return bool(request.param)


def test_an_archive_holds_the_sources_and_what_python_makes_of_them(
    folder: Path, writes_nothing: bool
):
    sources = ["a.py", "inner/b.py"]
    compiled = [] if writes_nothing else [cache_from_source(name) for name in sources]
    assert sorted(names(zipped_folder(folder))) == sorted([*sources, *compiled])


def test_a_layer_that_sam_builds_lies_where_python_looks(folder: Path):
    found = names(zipped_folder(folder, "python/"))
    assert [name for name in found if name.endswith(".py")] == ["python/a.py", "python/inner/b.py"]


def test_compiled_code_is_taken_whenever_the_sources_were_unpacked(
    folder: Path, tmp_path: Path, writes_nothing: bool
):
    before = zipped_folder(folder)
    (folder / "a.py").write_text("A = 3\n")  # as long as before, and perhaps in the same second
    os.utime(folder / "a.py", (1, 1))
    assert zipped_folder(folder) != before
    target = tmp_path / "unpacked"
    with zipfile.ZipFile(io.BytesIO(zipped_folder(folder))) as reader:
        reader.extractall(target)
    os.utime(target / "a.py", (5, 5))
    done = subprocess.run(
        [sys.executable, "-B", "-v", "-c", "import a, inner.b; print(a.A, inner.b.B)"],
        env={"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "3 2\n"
    from_code = f"code object from '{cache_from_source(str(target / 'a.py'))}'"
    assert (from_code in done.stderr) is not writes_nothing


def test_what_does_not_compile_goes_as_it_is(folder: Path):
    (folder / "a.py").write_text("A = (\n")
    found = names(zipped_folder(folder))
    assert "a.py" in found
    assert cache_from_source("a.py") not in found


def test_equal_files_give_an_equal_archive(folder: Path):
    before = zipped_folder(folder)
    os.utime(folder / "a.py", (1, 1))
    (folder / "a.py").chmod(0o600)
    assert zipped_folder(folder) == before
    (folder / "a.py").write_text("A = 3\n")
    assert zipped_folder(folder) != before


def test_local_paths_are_replaced_and_the_others_stay(folder: Path):
    (folder.parent / "machine.yaml").write_text("States: {}")
    uploads: dict[str, bytes] = {}

    def upload(suffix: str, content: bytes) -> str:
        uploads[artifact_key(suffix, content)] = content
        return f"s3://bucket/{artifact_key(suffix, content)}"

    template: dict[str, Any] = {
        "Globals": {"Function": {"CodeUri": "code/", "Timeout": 3}},
        "Resources": {
            "One": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "a.b"}},
            "Elsewhere": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"CodeUri": "s3://other/code.zip"},
            },
            "Layer": {
                "Type": "AWS::Serverless::LayerVersion",
                "Metadata": {"BuildMethod": "python3.13"},
                "Properties": {"ContentUri": "code/"},
            },
            "Machine": {
                "Type": "AWS::Serverless::StateMachine",
                "Properties": {"DefinitionUri": "machine.yaml"},
            },
            "Bucket": {"Type": "AWS::S3::Bucket"},
        },
    }
    result: dict[str, Any] = packed(template, folder.parent, upload)
    code, resources = result["Globals"]["Function"], result["Resources"]
    assert code["Timeout"] == 3
    assert code["CodeUri"].endswith(".zip")
    assert resources["One"] == template["Resources"]["One"]
    assert resources["Elsewhere"]["Properties"]["CodeUri"] == "s3://other/code.zip"
    layer = uploads[resources["Layer"]["Properties"]["ContentUri"].removeprefix("s3://bucket/")]
    assert {"python/a.py", "python/inner/b.py"} <= set(names(layer))
    assert resources["Machine"]["Properties"]["DefinitionUri"].endswith(".yaml")
    assert resources["Bucket"] == {"Type": "AWS::S3::Bucket"}
    assert template["Globals"]["Function"]["CodeUri"] == "code/"  # the caller's is left alone
