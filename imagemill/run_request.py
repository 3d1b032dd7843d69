"""The request for a run, checked by the contract before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from imagemill.errors import UsageError
from imagemill.folders import Folders
from imagemill_contract.errors import RequestError
from imagemill_contract.locations import Location
from imagemill_contract.recipe import Recipe
from imagemill_contract.requests.request import RunRequest


def folder_request(
    folders: Folders, recipe: Recipe, fields: Mapping[str, object]
) -> dict[str, object]:
    """The input of a run over a folder, with further `fields`. Raises UsageError."""
    addresses = {
        "source": str(Location.of_folder(PurePosixPath(folders.photos))),
        "output": str(Location.of_folder(PurePosixPath(folders.out))),
    }
    return _checked({**addresses, "recipe": recipe.to_document(), **fields}, allow_files=True)


def bucket_request(source: str, recipe: Recipe, fields: Mapping[str, object]) -> dict[str, object]:
    """The input of a run over a bucket, with further `fields`. Raises UsageError."""
    document = {"source": source, "recipe": recipe.to_document(), **fields}
    return _checked(document, allow_files=False)


def _checked(document: dict[str, object], *, allow_files: bool) -> dict[str, object]:
    try:
        RunRequest.from_document(document, allow_files=allow_files)
    except RequestError as error:
        raise UsageError(str(error)) from None
    return document
