"""Local folders and files of a SAM template, uploaded as `sam package` does.

Modules go along compiled: each process of a handler would else take a tenth of a second for that.
The dependencies of the handlers are not packed: they come from the environment of the engine.
"""

from __future__ import annotations

import hashlib
import io
import py_compile
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path, PurePosixPath
from typing import TypeGuard

from imagemill_engine.shapes import Document

Upload = Callable[[str, bytes], str]  # (suffix, content) -> S3 URI

# Equal content has to give an equal archive: no time of the file, no owner, one mode.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o644
PYTHON_LAYER_FOLDER = "python/"
# https://docs.python.org/3/reference/import.html#pyc-invalidation
PYC_HEADER_BYTES = 16
PYC_UNCHECKED = (1).to_bytes(4, "little")


def packed(template: Document, root: Path, upload: Upload) -> Document:
    """The template with every local path replaced by the S3 URI of its upload."""
    function_defaults = (template.get("Globals") or {}).get("Function") or {}
    result = dict(template)
    if function_defaults:
        packed_defaults = _with_folder(function_defaults, "CodeUri", root, upload)
        result["Globals"] = {**template["Globals"], "Function": packed_defaults}
    result["Resources"] = {
        name: _packed_resource(resource, root, upload)
        for name, resource in template["Resources"].items()
    }
    return result


def _packed_resource(resource: Document, root: Path, upload: Upload) -> Document:
    properties: Document = dict(resource.get("Properties") or {})
    kind = resource.get("Type")
    if kind == "AWS::Serverless::Function":
        properties = _with_folder(properties, "CodeUri", root, upload)
    elif kind == "AWS::Serverless::LayerVersion":
        built = "BuildMethod" in (resource.get("Metadata") or {})
        within = PYTHON_LAYER_FOLDER if built else ""
        properties = _with_folder(properties, "ContentUri", root, upload, within=within)
    elif kind == "AWS::Serverless::StateMachine":
        properties = _with_file(properties, "DefinitionUri", root, upload)
    else:
        return dict(resource)
    return {**resource, "Properties": properties}


def _with_folder(
    properties: Document, name: str, root: Path, upload: Upload, *, within: str = ""
) -> Document:
    path = properties.get(name)
    if not _is_local(path):
        return properties
    return {**properties, name: upload(".zip", zipped_folder(root / path, within))}


def _with_file(properties: Document, name: str, root: Path, upload: Upload) -> Document:
    path = properties.get(name)
    if not _is_local(path):
        return properties
    file = root / path
    return {**properties, name: upload(file.suffix, file.read_bytes())}


def _is_local(path: object) -> TypeGuard[str]:
    return isinstance(path, str) and not path.startswith("s3://")


def zipped_folder(folder: Path, within: str = "") -> bytes:
    """A zip of the folder's files under `within`; the same files always give the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for file in _source_files(folder):
            name = PurePosixPath(within, file.relative_to(folder).as_posix())
            content, kept = file.read_bytes(), Path(cache_from_source(str(file)))
            _add(writer, name, content)
            if file.suffix == ".py" and (code := _compiled(file, content, kept)):
                _add(writer, name.parent / "__pycache__" / kept.name, code)
    return archive.getvalue()


def _add(writer: zipfile.ZipFile, name: PurePosixPath, content: bytes) -> None:
    entry = zipfile.ZipInfo(str(name), ZIP_EPOCH)
    entry.external_attr = FILE_MODE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    writer.writestr(entry, content, compresslevel=1)


def _compiled(file: Path, source: bytes, kept: Path) -> bytes:
    """The module's code, to be taken whatever time the source has; empty if that cannot be had.

    It is what Python itself keeps at `kept`, where it may write.
    """
    if sys.dont_write_bytecode:
        return b""
    with suppress(OSError, py_compile.PyCompileError):
        status = file.stat()
        of_now = b"".join(
            number.to_bytes(4, "little")
            for number in (0, int(status.st_mtime) & 0xFFFF_FFFF, status.st_size & 0xFFFF_FFFF)
        )
        for _ in range(2):
            code = kept.read_bytes() if kept.exists() else b""
            if code[:PYC_HEADER_BYTES] == MAGIC_NUMBER + of_now:
                return MAGIC_NUMBER + PYC_UNCHECKED + source_hash(source) + code[PYC_HEADER_BYTES:]
            py_compile.compile(str(file), doraise=True)
    return b""


def _source_files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        is_made = any(part == "__pycache__" or part.startswith(".") for part in parts)
        if file.is_file() and not is_made:
            yield file


def artifact_key(suffix: str, content: bytes) -> str:
    """Names an upload by its content."""
    return hashlib.sha256(content).hexdigest() + suffix
