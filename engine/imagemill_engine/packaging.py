"""Local folders and files of a SAM template, uploaded as `sam package` does.

The dependencies of the handlers are not packed: they come from the environment of the engine.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeGuard

from imagemill_engine.shapes import Document

Upload = Callable[[str, bytes], str]  # (suffix, content) -> S3 URI

# Equal content has to give an equal archive: no time of the file, no owner, one mode.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o644
PYTHON_LAYER_FOLDER = "python/"


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
            entry = zipfile.ZipInfo(within + file.relative_to(folder).as_posix(), ZIP_EPOCH)
            entry.external_attr = FILE_MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            writer.writestr(entry, file.read_bytes())
    return archive.getvalue()


def _source_files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        is_made = any(part == "__pycache__" or part.startswith(".") for part in parts)
        if file.is_file() and not is_made:
            yield file


def artifact_key(suffix: str, content: bytes) -> str:
    """Names an upload by its content."""
    return hashlib.sha256(content).hexdigest() + suffix
